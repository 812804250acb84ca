"""Judging a run-request: pure, the same for REST and for the topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from services.api.catalog import Catalog
from shared.canonical import sha256_of
from shared.envelope import first_problem
from shared.events.base import Mode, RunId, Symbol, UtcTime
from shared.events.run import RunContext


def _written_out(value: Any) -> Any:
    """Refuse a bare number, which would be taken for seconds since 1970."""
    if isinstance(value, str) and not value.strip().lstrip("+-").replace(".", "").isdigit():
        return value
    if value is None:
        return None
    msg = "expected an ISO time with offset, such as 2026-11-25T15:30:00-05:00"
    raise ValueError(msg)


class RunRequest(BaseModel):
    """A request for a run. ``strategy_id`` is the number or the name of a strategy.

    Without ``symbols`` the strategy's are meant. ``dry_run: true`` is ``mode: dry_run``, and so is
    neither; ``dry_run: false`` is ``paper``; ``live`` only by ``mode``. ``deadline``: market time.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"strategy_id": 1, "symbols": ["TSLA", "NVDA"], "dry_run": True}]
        },
    )

    strategy_id: StrictInt | StrictStr
    symbols: list[StrictStr] | None = None
    dry_run: StrictBool | None = None
    mode: Mode | None = None
    run_id: RunId | None = None
    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] | None = None
    deadline: Annotated[UtcTime | None, BeforeValidator(_written_out)] = None
    note: Annotated[str, Field(max_length=500)] | None = None


class _Symbol(BaseModel):
    symbol: Symbol


@dataclass(frozen=True)
class Refusal(Exception):  # noqa: N818  # a verdict; raised so that no caller can overlook it
    """Why a request is refused: a code for programs, a reason for people."""

    code: str
    reason: str


@dataclass(frozen=True)
class Judged:
    """A valid request: what the run is to be. ``request_hash`` knows a repeat from another."""

    run_id: str | None
    symbols: tuple[str, ...]
    context: RunContext
    request_hash: str


def judge(fields: Mapping[str, Any], catalog: Catalog, *, max_symbols: int) -> Judged:
    """Return what a request asks for. Raises Refusal."""
    request = _parse(fields)
    strategy = catalog.strategy(request.strategy_id)
    if strategy is None:
        known = ", ".join(f"{s.id} ({s.name})" for s in catalog.strategies.values())
        reason = f"expected one of the strategies {known}, found {request.strategy_id!r}"
        raise Refusal("unknown_strategy", reason)
    symbols = _symbols(request.symbols, strategy.symbols, max_symbols)
    mode = _mode(request.mode, dry_run=request.dry_run)
    context = RunContext(
        strategy=strategy,
        limits=catalog.limits,
        mode=mode,
        account=request.account,
        deadline=request.deadline,
        note=request.note,
    )
    return Judged(request.run_id, symbols, context, _identity(request, symbols, mode))


def _parse(fields: Mapping[str, Any]) -> RunRequest:
    if unknown := sorted(set(fields) - set(RunRequest.model_fields)):
        known = ", ".join(RunRequest.model_fields)
        raise Refusal("unknown_field", f"unknown field {unknown[0]!r}; known are {known}")
    try:
        return RunRequest.model_validate(dict(fields))
    except ValidationError as e:
        raise Refusal("invalid_field", first_problem(e)) from e


def _symbols(
    asked: list[str] | None, default: tuple[str, ...], max_symbols: int
) -> tuple[str, ...]:
    if asked is None:
        return default
    if not asked:
        reason = "symbols: expected at least one, found an empty list; leave it out for all"
        raise Refusal("no_symbols", reason)
    if len(asked) > max_symbols:
        reason = f"symbols: expected at most {max_symbols}, found {len(asked)}"
        raise Refusal("too_many_symbols", reason)
    # Lower case of ASCII alone: that of other scripts may turn into another, real ticker.
    symbols = tuple(s.upper() if s.isascii() else s for s in map(str.strip, asked))
    for symbol in symbols:
        try:
            _Symbol(symbol=symbol)
        except ValidationError as e:
            reason = f"symbols: expected a symbol such as TSLA, found {symbol[:40]!r}"
            raise Refusal("invalid_symbol", reason) from e
    if twins := sorted({s for s in symbols if symbols.count(s) > 1}):
        raise Refusal("duplicate_symbols", f"symbols: {twins[0]} is named twice; name it once")
    return symbols


def _mode(mode: Mode | None, *, dry_run: bool | None) -> Mode:
    if dry_run is None:
        return Mode.DRY_RUN if mode is None else mode
    if mode is not None and dry_run != (mode is Mode.DRY_RUN):
        reason = f"mode {mode} and dry_run {str(dry_run).lower()} contradict each other; give one"
        raise Refusal("conflicting_mode", reason)
    if mode is not None:
        return mode
    return Mode.DRY_RUN if dry_run else Mode.PAPER


def _identity(request: RunRequest, symbols: tuple[str, ...], mode: Mode) -> str:
    return sha256_of(
        {
            "strategy_id": request.strategy_id,
            "symbols": symbols,
            "mode": mode,
            "account": request.account,
            "deadline": request.deadline.isoformat() if request.deadline else None,
            "note": request.note,
        }
    )

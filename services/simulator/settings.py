"""What the simulator is started with."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.simulator.errors import StartError

_BARS_VARIABLE = "OPENBELL_SIMULATOR__BARS"


class Switches(BaseModel):
    """Quirks on which captures, documents and clients disagree, or that not every user wants.

    The defaults are what was seen on the wire, where that is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts_first_status: Literal[400, 500] = Field(
        400, description="status of a snapshot or order list before /iserver/accounts"
    )
    preflights: int = Field(1, ge=0, le=9, description="calls that a field stays absent for")
    tickle_logged_out: Literal["no session", "failed", "401"] = Field(
        "no session", description="what tickle says without a login"
    )
    unknown_stock: Literal["absent", "empty"] = Field(
        "absent", description="trsrv/stocks for an unknown symbol: no key, or []"
    )
    unknown_search: Literal["empty", "error"] = Field(
        "empty", description="secdef/search for an unknown symbol: [], or an error object"
    )
    history_warm_up: Literal[0, 404, 500, 503] = Field(
        0, description="status of the first history call of a session; 0: it works"
    )
    history_delay_s: float = Field(0.03, ge=0, le=60, description="how long a chart takes")
    volume_factor: Literal[1, 40, 100] = Field(40, description="shares per unit of bar volume")
    duplicate_order_status: Literal[200, 400] = Field(
        200, description="status of an order whose cOID is known"
    )
    unknown_order_status: Literal[200, 400] = Field(
        400, description="status of a cancel of an unknown order"
    )
    overtaken_question_goes_live: bool = Field(
        default=False, description="an order whose question was overtaken is placed all the same"
    )
    portfolio_accounts_first: bool = Field(
        default=True, description="portfolio reads are empty before /portfolio/accounts"
    )
    idle_timeout_s: int = Field(
        0, ge=0, description="a login ends after so long without a request; 0: never"
    )
    requests_per_s: int = Field(10, ge=0, description="pacing of the username; 0: none")
    path_limits: bool = Field(
        default=False, description="also the documented limits per path, such as orders 1 in 5 s"
    )
    penalty_s: float = Field(0, ge=0, description="how long a 429 locks out; 0: not at all")
    stream_expiry_s: int = Field(
        900, ge=0, description="a quote stream dies silently after so long; 0: never"
    )


@dataclass(frozen=True)
class Settings:
    """A start of the simulator. ``record`` rules over ``start`` and ``speed``."""

    host: str = "127.0.0.1"
    port: int = 5055
    bars: Path | None = None
    start: datetime | None = None
    speed: Decimal = Decimal(1)
    seed: int = 1
    record: Path | None = None
    switches: Switches = field(default_factory=Switches)


def parse_arguments(argv: Sequence[str]) -> Settings:
    """Read the command line. Exits with usage on a wrong one; raises StartError on a wrong switch.

    ``--bars`` falls back to the environment.
    """
    options = _parser().parse_args(argv)
    return Settings(
        host=options.host,
        port=options.port,
        bars=options.bars,
        start=options.start,
        speed=options.speed,
        seed=options.seed,
        record=options.time_record,
        switches=_switches(options.switch),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simulator",
        description="The Client Portal Web API on a simulated market.",
        epilog="switches: " + "; ".join(_switch_help()),
    )
    folder = os.environ.get(_BARS_VARIABLE)
    parser.add_argument("--host", default="127.0.0.1", help="else within a container: 0.0.0.0")
    parser.add_argument("--port", type=int, default=5055)
    parser.add_argument(
        "--bars",
        type=Path,
        default=Path(folder) if folder else None,
        metavar="DIR",
        help=f"folder of SYMBOL.csv, daily bars; else {_BARS_VARIABLE}; else a made-up market",
    )
    parser.add_argument("--start", type=_instant, metavar="ISO-TIME", help="market time at start")
    parser.add_argument("--speed", type=_speed, default=Decimal(1), help="0: time stands still")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-record", type=Path, metavar="FILE", help="market time of a stack")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE")
    return parser


def _switch_help() -> list[str]:
    return [
        f"{name} ({info.default}): {info.description}"
        for name, info in Switches.model_fields.items()
    ]


def _switches(pairs: Sequence[str]) -> Switches:
    values: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        values[name] = int(value) if value.isdigit() and name != "tickle_logged_out" else value
    try:
        return Switches.model_validate(values)
    except ValidationError as e:
        raise StartError("--switch: " + "; ".join(_complaints(e))) from e


def _complaints(e: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in e.errors()]


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from e
    if instant.tzinfo is None:
        msg = f"expected a time with a zone, such as 2023-06-01T13:30:00Z, found {text}"
        raise argparse.ArgumentTypeError(msg)
    return instant


def _speed(text: str) -> Decimal:
    try:
        speed = Decimal(text)
    except InvalidOperation:
        speed = Decimal("NaN")
    if not speed.is_finite() or speed < 0:
        msg = f"expected a number of at least 0, found {text}"
        raise argparse.ArgumentTypeError(msg)
    return speed

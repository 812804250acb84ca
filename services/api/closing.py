"""How a run ends, as a pure function of the outcomes of its symbols."""

from collections.abc import Sequence
from typing import Literal

from shared.canonical import sha256_of
from shared.events.order import OrderChanged
from shared.events.run import Outcome, StepFailed, SymbolOutcome

Status = Literal["succeeded", "failed", "expired", "cancelled"]

# Codes of a failed step that say more than that it failed.
_OUTCOME_OF_CODE = {"expired": Outcome.EXPIRED, "cancelled": Outcome.CANCELLED}


def outcome_of_order(order: OrderChanged) -> SymbolOutcome | None:
    """Return the outcome that an order event closes its symbol with, or None."""
    if not order.closing or order.outcome is None or order.decision_hash is None:
        return None
    return SymbolOutcome(
        symbol=order.symbol,
        outcome=order.outcome,
        code=order.code,
        reason=order.reason,
        decision_hash=order.decision_hash,
    )


def outcome_of_failure(failed: StepFailed, symbol: str) -> SymbolOutcome:
    """Return the outcome of a symbol whose step failed; the hash knows what it failed on."""
    hashed = {"step": failed.step, "code": failed.code}
    if failed.evidence_hash is not None:
        hashed["evidence_hash"] = failed.evidence_hash
    return SymbolOutcome(
        symbol=symbol,
        outcome=_OUTCOME_OF_CODE.get(failed.code, Outcome.FAILED),
        code=failed.code,
        reason=failed.reason,
        decision_hash=sha256_of(hashed),
    )


def status_of(outcomes: Sequence[SymbolOutcome]) -> Status:
    """Return the status of a run all of whose symbols are closed."""
    kinds = {o.outcome for o in outcomes}
    if kinds == {Outcome.EXPIRED}:
        return "expired"
    if kinds == {Outcome.CANCELLED}:
        return "cancelled"
    return "failed" if Outcome.FAILED in kinds else "succeeded"


def decision_hash_of(outcomes: Sequence[SymbolOutcome]) -> str:
    """Return the decision hash of a run: over its symbols' hashes, in the symbols' order."""
    return sha256_of({o.symbol: o.decision_hash for o in outcomes})

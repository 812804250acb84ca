"""The decision on a symbol: what was proposed, judged by the checks. Pure, and hashed."""

import json
from typing import Any, Final

from services.signals.answer import UnreadableAnswerError
from services.signals.checks import Source, check
from shared.canonical import sha256_of
from shared.events.base import Check, Fact, Reason
from shared.events.evidence import EvidenceCaptured
from shared.events.signal import Action, ModelCall, Proposal

UNREADABLE: Final = "answer_unreadable"
HOLD_PROPOSED: Final = "hold_proposed"
PASSED: Final = "checks_passed"


class Decided(Fact):
    """The fields of a signal that are decided here, named as in the event."""

    source: Source
    action: Action
    confidence: float
    code: str
    reason: Reason
    proposal: Proposal | None
    checks: tuple[Check, ...]
    signal_hash: str


def decide(
    event: EvidenceCaptured, proposed: Proposal | UnreadableAnswerError, call: ModelCall | None
) -> Decided:
    """Return the decision. ``call`` is None where rules voted.

    The action is the proposed one if every check passed, else HOLD; a HOLD always says why. The
    hash covers evidence, messages, answer and decision; no id, clock, latency or token count.
    """
    source: Source = "rules" if call is None else "llm"
    if isinstance(proposed, Proposal):
        context = event.context
        checks = check(proposed, event.evidence, context.strategy, context.limits, source)
        action, code, reason = _judge(proposed, checks, source)
        proposal, confidence = proposed, proposed.confidence
    else:
        checks, proposal, confidence = (_unreadable(proposed),), None, 0.0
        action, code = Action.HOLD, UNREADABLE
        reason = f"the model's answer cannot be read ({proposed.code}): {proposed.reason}"
    decided = {
        "source": source,
        "action": action,
        "confidence": confidence,
        "code": code,
        "reason": reason,
        "proposal": proposal,
        "checks": checks,
    }
    return Decided(**decided, signal_hash=sha256_of(_hashed(event, decided, call)))


def _judge(
    proposal: Proposal, checks: tuple[Check, ...], source: Source
) -> tuple[Action, str, str]:
    failed = [c for c in checks if not c.passed]
    if failed:
        found = "; ".join(f"{c.name}: required {c.required}, found {c.found}" for c in failed)
        code = f"{failed[0].name}_check_failed"
        return Action.HOLD, code, f"{proposal.action} was proposed and fails on {found}"
    if proposal.action is Action.HOLD:
        who = "the model proposes" if source == "llm" else "the rules propose"
        why = "; ".join(proposal.reasons) or "no reason given"
        return Action.HOLD, HOLD_PROPOSED, f"{who} to hold: {why}"
    return proposal.action, PASSED, f"{proposal.action}: all {len(checks)} checks passed"


def _unreadable(why: UnreadableAnswerError) -> Check:
    return Check(
        name="answer",
        passed=False,
        required="one JSON object of the asked shape",
        found=f"{why.code}: {why.reason}",
    )


def _hashed(
    event: EvidenceCaptured, decided: dict[str, Any], call: ModelCall | None
) -> dict[str, Any]:
    asked = None if call is None else json.loads(call.request)["messages"]
    return {
        "evidence_hash": event.evidence_hash,
        "messages": asked,
        "answer": None if call is None else call.answer,
        **decided,
    }

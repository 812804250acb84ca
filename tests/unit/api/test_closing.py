from datetime import UTC, datetime
from typing import Any

from services.api.closing import outcome_of_failure
from shared.canonical import sha256_of
from shared.events.run import Outcome, StepFailed

NOW = datetime(2023, 6, 1, 14, 0, tzinfo=UTC)


def hash_of(**changes: Any) -> str:
    fields = {
        "occurred_at": NOW,
        "market_time": NOW,
        "run_id": "run-1",
        "symbol": "TSLA",
        "step": "signal",
        "code": "llm_timeout",
        "reason": "no answer within 60 s",
    }
    failed = StepFailed.model_validate(fields | changes)
    return outcome_of_failure(failed, "TSLA").decision_hash


def test_a_failure_is_known_by_step_code_and_the_evidence_it_failed_on() -> None:
    first = hash_of(evidence_hash="e" * 64)

    assert first != hash_of(evidence_hash="f" * 64)
    assert first != hash_of(evidence_hash="e" * 64, code="llm_error")
    assert first != hash_of(evidence_hash="e" * 64, step="order")


def test_the_same_failure_has_the_same_hash_in_another_run_at_another_time() -> None:
    again = hash_of(
        evidence_hash="e" * 64, run_id="run-2", occurred_at="2024-01-01T00:00:00Z", attempts=3
    )

    assert again == hash_of(evidence_hash="e" * 64)


def test_a_failure_before_any_evidence_has_the_hash_it_always_had() -> None:
    assert hash_of() == sha256_of({"step": "signal", "code": "llm_timeout"})


def test_an_event_from_before_the_field_still_parses() -> None:
    old = StepFailed.model_validate_json(
        '{"occurred_at": "2023-06-01T14:00:00Z", "market_time": "2023-06-01T14:00:00Z",'
        ' "run_id": "run-1", "step": "market_open", "code": "expired", "reason": "late"}'
    )

    assert old.evidence_hash is None
    assert outcome_of_failure(old, "TSLA").outcome is Outcome.EXPIRED

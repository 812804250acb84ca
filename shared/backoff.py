"""Retries of our own storage: without end, with capped back-off and jitter."""

from typing import Any

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    wait_random_exponential,
)

from shared.failures import is_ours

log = structlog.get_logger(__name__)


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning(
        "our storage is away, trying again",
        attempt=state.attempt_number,
        why=repr(error),
    )


def retry_ours() -> AsyncRetrying:
    """Return an iterator of attempts that ends with the first success, or any other failure."""
    return AsyncRetrying(
        retry=retry_if_exception(is_ours),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        before_sleep=_say,
        reraise=True,
    )


async def until_it_works(work: Any) -> Any:
    """Await ``work()`` until our storage lets it through; return its result."""
    async for attempt in retry_ours():
        with attempt:
            return await work()
    return None

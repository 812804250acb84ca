"""The call of the model: one client for the process, bounded in time, attempts and size."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

import openai
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from services.signals.completion import Usage, answer_of, completion_of
from services.signals.endpoint_errors import PassingError, failure_of, no_answer_within
from services.signals.prompt import Prompt, request_body
from services.signals.settings import LlmSettings
from shared.canonical import sha256_of
from shared.events.signal import ModelCall
from shared.failures import StepFailedError
from shared.market_time import MarketClock, sleep_until

# One symbol's time in all, on the wall.
BUDGET_S: Final = 90.0
_JSON: Final = {"Content-Type": "application/json"}
# A proxy of the environment is for the world, never for this machine.
_DIRECT: Final[dict[str, None]] = {
    "all://127.0.0.1": None,
    "all://localhost": None,
    "all://[::1]": None,
}


@dataclass(frozen=True)
class _Answered:
    answer: str
    usage: Usage
    latency_ms: int


class Model:
    """An OpenAI-compatible endpoint. Use as a context manager, which closes its connections."""

    def __init__(self, settings: LlmSettings, *, budget_s: float = BUDGET_S) -> None:
        self._settings = settings
        self._budget_s = budget_s
        self._key = settings.api_key.get_secret_value()
        # Time-outs and retries are ours: they must end with the run, and be counted.
        self._client = openai.AsyncOpenAI(
            base_url=str(settings.base_url),
            api_key=self._key or "none",
            max_retries=0,
            timeout=None,
            http_client=openai.DefaultAsyncHttpxClient(mounts=_DIRECT),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def ask(
        self, prompt: Prompt, clock: MarketClock, expires_at: datetime | None
    ) -> ModelCall:
        """Return the call with its answer. It ends within the budget, and when the run expires.

        Raises StepFailedError: llm_unreachable, llm_timeout, llm_error, llm_refused, llm_empty or
        expired.
        """
        settings = self._settings
        body = request_body(prompt, model=settings.model, max_tokens=settings.max_tokens)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(PassingError),
            stop=stop_after_attempt(settings.attempts),
            wait=wait_random_exponential(multiplier=0.25, max=10),
            reraise=True,
        )
        try:
            async with asyncio.timeout(self._budget_s) as limit, _until(limit, clock, expires_at):
                answered: _Answered = await retrying(self._once, body)
        except StepFailedError as e:
            raise StepFailedError(e.code, e.reason, _attempts(retrying)) from e
        except TimeoutError as e:
            raise self._out_of_time(clock, expires_at, _attempts(retrying)) from e
        return ModelCall(
            model=settings.model,
            prompt_version=prompt.version,
            template_hash=prompt.template_hash,
            request=body,
            answer=answered.answer,
            prompt_tokens=answered.usage.prompt_tokens,
            completion_tokens=answered.usage.completion_tokens,
            latency_ms=answered.latency_ms,
            attempts=_attempts(retrying),
            answer_hash=sha256_of(answered.answer),
        )

    async def _once(self, body: str) -> _Answered:
        """Send the bytes as they are: the client's own serializer never sees them."""
        timeout_s = self._settings.timeout_s
        began = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_s):
                text = await self._client.post(
                    "/chat/completions",
                    cast_to=str,
                    content=body.encode(),
                    options={"headers": _JSON},
                )
        except TimeoutError as e:
            raise no_answer_within(timeout_s) from e
        except openai.OpenAIError as e:
            raise failure_of(e, self._key) from e
        latency_ms = round((time.perf_counter() - began) * 1000)
        completion = completion_of(text)
        return _Answered(answer_of(completion), completion.usage, latency_ms)

    def _out_of_time(
        self, clock: MarketClock, expires_at: datetime | None, attempts: int
    ) -> StepFailedError:
        if expires_at is not None and clock.now() >= expires_at:
            when = expires_at.isoformat()
            reason = f"the run expired at {when} market time, before the model answered"
            return StepFailedError("expired", reason, attempts)
        reason = f"no answer within {self._budget_s:g} s and {attempts} attempts"
        return StepFailedError("llm_timeout", reason, attempts)


def _attempts(retrying: AsyncRetrying) -> int:
    return int(retrying.statistics["attempt_number"])


@contextlib.asynccontextmanager
async def _until(
    limit: asyncio.Timeout, clock: MarketClock, expires_at: datetime | None
) -> AsyncIterator[None]:
    """End a time limit early when the run expires, in market time."""

    async def watch(instant: datetime) -> None:
        await sleep_until(clock, instant)
        limit.reschedule(asyncio.get_running_loop().time())

    watcher = None if expires_at is None else asyncio.create_task(watch(expires_at))
    try:
        yield
    finally:
        if watcher is not None:
            watcher.cancel()

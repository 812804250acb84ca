"""What an error of the model's endpoint means: a code, a reason, and whether to try again."""

from http import HTTPStatus
from typing import Final

import openai

from shared.failures import StepFailedError

_LONGEST_EXCERPT: Final = 300
_BASE_URL: Final = "OPENBELL_LLM__BASE_URL"
_AGAIN: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_ADVICE: Final = {
    HTTPStatus.UNAUTHORIZED: "check OPENBELL_LLM__API_KEY",
    HTTPStatus.FORBIDDEN: "check OPENBELL_LLM__API_KEY and what it may use",
    HTTPStatus.NOT_FOUND: f"check OPENBELL_LLM__MODEL and {_BASE_URL}",
    HTTPStatus.TOO_MANY_REQUESTS: "check the rate limit and the credit of the account",
}


class PassingError(StepFailedError):
    """A failure that may be over at the next attempt."""


def no_answer_within(seconds: float) -> StepFailedError:
    """Return the failure of an attempt that took too long."""
    return PassingError("llm_timeout", f"no answer within {seconds:g} s (OPENBELL_LLM__TIMEOUT_S)")


def failure_of(error: openai.OpenAIError, key: str) -> StepFailedError:
    """Return the failure of an attempt. ``key`` is kept out of the reason."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error.status_code, _excerpt(error.message, key))
    if isinstance(error, openai.APIConnectionError):
        why = _excerpt(str(error.__cause__ or error), key)
        return PassingError("llm_unreachable", f"no connection to {_BASE_URL}: {why}")
    return StepFailedError("llm_error", _excerpt(f"{type(error).__name__}: {error}", key))


def _of_status(status: int, said: str) -> StepFailedError:
    answered = f"the endpoint answered {status}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return PassingError("llm_error", f"{answered}: {said}")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        # What it said is left out: some endpoints repeat a part of the key.
        return StepFailedError("llm_refused", f"{answered}: {_advice(status)}")
    if any(word in said for word in ("response_format", "json_schema")):
        advice = "it must support response_format json_schema; nothing was asked without it"
        return StepFailedError("llm_refused", f"{answered}, {advice}: {said}")
    kind = PassingError if status in _AGAIN else StepFailedError
    return kind("llm_refused", f"{answered}, {_advice(status)}: {said}")


def _advice(status: int) -> str:
    return next((advice for s, advice in _ADVICE.items() if s == status), f"check {_BASE_URL}")


def _excerpt(text: str, key: str) -> str:
    clean = text.replace(key, "***") if key else text
    return ascii(" ".join(clean.split()))[1:-1][:_LONGEST_EXCERPT]

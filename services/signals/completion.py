"""A chat completion as an endpoint answers it, and the answer in it."""

from typing import Final

from pydantic import BaseModel, Field, ValidationError

from shared.envelope import first_problem
from shared.failures import StepFailedError

_LONGEST_RESPONSE: Final = 200_000
_LONGEST_EXCERPT: Final = 300


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class Usage(BaseModel):
    """Tokens, as the endpoint counted them."""

    prompt_tokens: int
    completion_tokens: int


class Completion(BaseModel):
    """Of a chat completion, what is used here. Without its usage it is refused: no made-up cost."""

    choices: list[_Choice] = Field(min_length=1)
    usage: Usage


def completion_of(text: str) -> Completion:
    """Return a response body as a completion. Raises StepFailedError ``llm_error``."""
    if len(text) > _LONGEST_RESPONSE:
        found = f"expected at most {_LONGEST_RESPONSE} characters, found {len(text)}"
        raise StepFailedError("llm_error", found)
    try:
        return Completion.model_validate_json(text)
    except ValidationError as e:
        found = f"expected a chat completion with its usage: {first_problem(e)}"
        raise StepFailedError("llm_error", found) from e


def answer_of(completion: Completion) -> str:
    """Return what the model said, as it said it. Raises StepFailedError ``llm_empty``.

    An answer that was cut off is an answer: the parser will find it unreadable.
    """
    choice = completion.choices[0]
    content, refusal = choice.message.content, choice.message.refusal
    if refusal is None and content is not None and content.strip():
        return content
    if refusal is not None:
        reason = f"the model refused: {refusal[:_LONGEST_EXCERPT]!a}"
    elif choice.finish_reason == "length":
        reason = "the model used up OPENBELL_LLM__MAX_TOKENS before it answered: raise it"
    else:
        why = str(choice.finish_reason)[:_LONGEST_EXCERPT]
        reason = f"the model said nothing (finish_reason {why!a})"
    raise StepFailedError("llm_empty", reason)

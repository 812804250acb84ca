"""Settings of signals: the model, if there is one."""

from pydantic import AnyHttpUrl, BaseModel, Field, SecretStr

from shared.settings import Settings


class LlmSettings(BaseModel):
    """An OpenAI-compatible endpoint; ``base_url`` ends before ``/chat/completions``.

    ``timeout_s`` is for one attempt; no symbol takes more than 90 seconds in all.
    """

    base_url: AnyHttpUrl
    model: str = Field(min_length=1)
    api_key: SecretStr = SecretStr("")
    timeout_s: float = Field(default=60, gt=0)
    max_tokens: int = Field(default=256, gt=0)
    attempts: int = Field(default=3, gt=0)


class SignalsSettings(Settings):
    """``llm`` absent: strategies of kind ``llm`` fail, those of kind ``rules`` work."""

    llm: LlmSettings | None = None

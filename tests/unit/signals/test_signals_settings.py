import pytest
from pydantic import ValidationError

from services.signals.main import build_app
from services.signals.settings import SignalsSettings

BASE_URL, MODEL = "OPENBELL_LLM__BASE_URL", "OPENBELL_LLM__MODEL"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (BASE_URL, MODEL, "OPENBELL_LLM__API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_model_the_service_starts_all_the_same() -> None:
    assert SignalsSettings().llm is None
    assert build_app().title == "openbell signals"


def test_the_key_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BASE_URL, "http://127.0.0.1:1/v1")
    monkeypatch.setenv(MODEL, "small")
    monkeypatch.setenv("OPENBELL_LLM__API_KEY", "sk-secret")

    settings = SignalsSettings()

    assert settings.llm is not None
    assert settings.llm.api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(settings)


@pytest.mark.parametrize(
    "found", [{BASE_URL: "http://127.0.0.1:1/v1"}, {BASE_URL: "localhost", MODEL: "small"}]
)
def test_half_a_model_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, str]
) -> None:
    for name, value in found.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError, match="llm"):
        SignalsSettings()

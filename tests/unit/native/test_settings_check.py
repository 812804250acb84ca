import pytest

from deploy.native.errors import RefusedError
from deploy.native.settings_check import known_names, refuse_bad_names, refuse_bad_values

SECRETS = {
    "OPENBELL_GATEWAY__MARKETDATA_SECRET": "m" * 16,
    "OPENBELL_GATEWAY__EXECUTION_SECRET": "e" * 16,
    "OPENBELL_IBKR__BASE_URL": "http://127.0.0.1:1/v1/api",
}


def refusal_of_names(**env: str) -> str:
    with pytest.raises(RefusedError) as caught:
        refuse_bad_names(env)
    return str(caught.value)


def refusal_of_values(service: str, **env: str) -> str:
    with pytest.raises(RefusedError) as caught:
        refuse_bad_values({service: env})
    return str(caught.value)


def test_settings_of_the_public_surface_are_known() -> None:
    public = (
        "HOME KAFKA__BOOTSTRAP_SERVERS DATABASE__URL IBKR__BASE_URL IBKR__ACCOUNT IBKR__CA_FILE"
    )
    public += " LLM__BASE_URL LLM__MODEL LLM__API_KEY API__URL API__PORT API__TOKEN"
    public += " SIMULATOR__BARS MARKET_TIME__START MARKET_TIME__SPEED LIVE LLM__API_KEY_FILE"
    public += " MLFLOW__TRACKING_URI MLFLOW__PORT"

    assert {f"OPENBELL_{name}" for name in public.split()} <= known_names()


def test_what_others_set_is_none_of_our_business() -> None:
    refuse_bad_names({"PATH": "/bin", "MY_OPENBELL_X": "changeme", "OPENBELL_HOME": "here"})


def test_misspelt_names_and_placeholders_are_told_all_at_once() -> None:
    said = refusal_of_names(OPENBELL_LMM__MODEL="m", OPENBELL_X="1", OPENBELL_LLM__API_KEY="<key>")

    assert "OPENBELL_LMM__MODEL is no setting of openbell, did you mean OPENBELL_LLM__MODEL" in said
    assert "OPENBELL_X is no setting of openbell" in said
    assert "OPENBELL_LLM__API_KEY holds a placeholder" in said


@pytest.mark.parametrize("value", ["changeme", "Change-Me", "<your key>", "your-api-key", "XXXX"])
def test_a_value_that_was_never_filled_in_is_a_placeholder(value: str) -> None:
    assert "placeholder" in refusal_of_names(OPENBELL_LLM__API_KEY=value)


@pytest.mark.parametrize("value", ["", "sk-todo-1", "http://your.example/v1", "xx"])
def test_a_value_that_may_be_real_is_none(value: str) -> None:
    refuse_bad_names({"OPENBELL_LLM__API_KEY": value})


def test_bad_values_are_told_by_their_names_all_at_once() -> None:
    said = refusal_of_values(
        "signals", OPENBELL_LLM__BASE_URL="no url", OPENBELL_LLM__TIMEOUT_S="-1"
    )

    assert "OPENBELL_LLM__BASE_URL: Input should be a valid URL" in said
    assert "found 'no url'" in said
    assert "OPENBELL_LLM__MODEL: Field required" in said
    assert "OPENBELL_LLM__TIMEOUT_S: Input should be greater than 0, found '-1'" in said


def test_no_secret_is_shown() -> None:
    env = {**SECRETS, "OPENBELL_GATEWAY__EXECUTION_SECRET": "hush"}

    assert "hush" not in refusal_of_values("gateway", **env)


def test_simulated_time_with_a_real_broker_is_refused() -> None:
    said = refusal_of_values("gateway", **SECRETS, OPENBELL_MARKET_TIME__RECORD="/tmp/time.json")

    assert said.startswith("settings: simulated time with the real broker")


def test_good_values_pass_and_this_process_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBELL_LLM__BASE_URL", "what this process has")

    refuse_bad_values({"gateway": SECRETS, "clock": {}, "signals": {}})

    with pytest.raises(RefusedError):
        refuse_bad_values({"signals": {"OPENBELL_LLM__BASE_URL": "x", "OPENBELL_LLM__MODEL": "m"}})

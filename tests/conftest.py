"""What all tests share: the profile of hypothesis, and one real stack for those in need of it."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from deploy.native.wiring import BUNDLED_MODEL, LLM_SETTING, MLFLOW_SETTING
from tests.e2e.recording_proxy import RecordingProxy, await_model, bundled_model
from tests.running import Running, strategies_for_tests
from tests.victims import Elsewhere

# No shrinking in CI: it can take minutes, and the seed that is printed finds the case again.
settings.register_profile(
    "openbell",
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("openbell")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", choices=["some", "all"], default="some", help="stages to disturb")
    parser.addoption("--tracking", choices=["some", "all"], default="some", help="runs to track")
    where = "whose Kafka and PostgreSQL the tests use: the stack's own, or containers"
    parser.addoption("--stack", choices=["native", "docker"], default="native", help=where)


def pytest_configure(config: pytest.Config) -> None:
    """End at once where containers are asked for and cannot be had."""
    if config.getoption("--stack") == "docker":
        from tests.containers import require_engine  # noqa: PLC0415  # slow: only where asked for

        require_engine()


@pytest.fixture(scope="session")
def model() -> Iterator[RecordingProxy]:
    """The bundled model, with a proxy before it that sees every byte and can fall ill."""
    with bundled_model() as upstream:
        proxy = RecordingProxy(upstream)
        with proxy.serving():
            yield proxy


@pytest.fixture(scope="session")
def elsewhere(pytestconfig: pytest.Config) -> Iterator[Mapping[str, Elsewhere]]:
    """The parts that the stack does not start itself, by name."""
    if pytestconfig.getoption("--stack") == "native":
        yield {}
        return
    from tests.containers import storage  # noqa: PLC0415  # slow: only where asked for

    with storage() as containers:
        yield containers


@pytest.fixture(scope="session")
def running(model: RecordingProxy, elsewhere: Mapping[str, Elsewhere]) -> Iterator[Running]:
    """The whole stack on the demo market, its time standing still at 10:00 New York."""
    home = Path(tempfile.mkdtemp(prefix="openbell-"))
    home.chmod(0o755)
    strategies_for_tests(home / "strategies")
    stack = Running(
        home / "home",
        {
            "OPENBELL_MARKET_TIME__START": "2023-06-05T10:00:00-04:00",
            "OPENBELL_MARKET_TIME__SPEED": "0",
            "OPENBELL_STRATEGIES_DIR": str(home / "strategies"),
            LLM_SETTING: model.base_url,
            "OPENBELL_LLM__MODEL": BUNDLED_MODEL,
            "OPENBELL_LLM__TIMEOUT_S": "25",
            "OPENBELL_LLM__ATTEMPTS": "2",
            # Nobody is there: whatever these tests are about goes on without MLflow.
            MLFLOW_SETTING: "http://127.0.0.1:9",
        },
        elsewhere,
    )
    try:
        stack.up()
        await_model(model.upstream)
        yield stack
    finally:
        stack.down()
        shutil.rmtree(home, ignore_errors=True)

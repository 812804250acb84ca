"""Which stages are disturbed."""

import os
import random

import pytest

from tests.running import STAGES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Disturb every stage, or two that the seed draws."""
    if "victim" in metafunc.fixturenames:
        every = metafunc.config.getoption("--faults") == "all"
        seed = int(os.environ.get("OPENBELL_TEST_SEED", "1"))
        chosen = STAGES if every else random.Random(seed).sample(STAGES, 2)
        metafunc.parametrize("victim", chosen)

"""What is collected: tests of containers only where containers are asked for."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what no engine is there for; None leaves the decision to others."""
    of_containers = collection_path.name in {"test_containers.py", "test_compose.py"}
    return True if of_containers and config.getoption("--stack") != "docker" else None

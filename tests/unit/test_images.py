"""What an image holds is what was locked, and what compose publishes is for this machine alone."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.docker.only import only

ROOT = Path(__file__).parents[2]
LOCK = ["# made\n", "a-b==1 \\\n", "    --hash=sha256:1\n", "other[x]==2 ; linux \\\n"]
LOCK += ["    --hash=sha256:2\n", "c==3 \\\n", "    --hash=sha256:3\n"]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ONCE = {"migrate", "topics", "market-time"}


def test_of_the_lock_those_lines_are_kept_that_pin_a_wanted_name() -> None:
    assert only(LOCK, ["# c\n", "A_b==9\n", "c==3\n"]) == [*LOCK[1:3], *LOCK[5:]]


def test_a_name_that_was_not_locked_is_refused() -> None:
    with pytest.raises(ValueError, match="found none of them: new"):
        only(LOCK, ["new==1\n"])


def test_every_service_has_an_extra_for_its_image() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    services = {path.parent.name for path in (ROOT / "services").glob("*/main.py")}

    assert services <= set(extras["optional-dependencies"])
    # The tracker comes with MLflow, which the containers do not have yet.
    assert services - {"tracker"} <= set(COMPOSE["services"])


def test_only_the_api_is_published_and_on_this_machine_alone() -> None:
    published = {name: s["ports"] for name, s in COMPOSE["services"].items() if "ports" in s}

    assert list(published) == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in published["api"])


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()

    for name in ("POSTGRES_PASSWORD", "API_TOKEN", "MARKETDATA_SECRET", "EXECUTION_SECRET"):
        assert f"${{{name}:?run ./openbell init}}" in text
        assert f"${{{name}:-" not in text


def test_what_runs_on_tells_its_health_and_ours_can_write_nothing() -> None:
    for name, service in COMPOSE["services"].items():
        assert name in ONCE or "healthcheck" in service, name
        if service["image"].startswith("openbell/"):
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
        else:
            assert ":latest" not in service["image"]
            assert ":" in service["image"]

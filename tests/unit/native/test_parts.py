import pytest

from deploy.native.errors import StackError
from deploy.native.parts import PARTS, Layer, check_scale, plan


def names(wanted: list[str] | None = None, env: dict[str, str] | None = None) -> list[str]:
    return [part.name for part in plan(wanted, env or {})]


def test_everything_is_started_by_default() -> None:
    assert names() == list(PARTS)


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ("OPENBELL_KAFKA__BOOTSTRAP_SERVERS", "kafka"),
        ("OPENBELL_DATABASE__URL", "postgres"),
        ("OPENBELL_LLM__BASE_URL", "llm"),
        ("OPENBELL_IBKR__BASE_URL", "simulator"),
        ("OPENBELL_MLFLOW__TRACKING_URI", "mlflow"),
    ],
)
def test_what_a_setting_points_elsewhere_is_not_started(setting: str, part: str) -> None:
    assert set(names()) - set(names(env={setting: "elsewhere"})) == {part}


def test_an_empty_setting_points_nowhere() -> None:
    assert "kafka" in names(env={"OPENBELL_KAFKA__BOOTSTRAP_SERVERS": ""})


def test_only_the_wanted_parts_are_started() -> None:
    assert names(["kafka", "postgres"]) == ["postgres", "kafka"]


def test_an_unknown_part_is_refused_by_name() -> None:
    with pytest.raises(StackError, match="found zookeeper"):
        names(["zookeeper"])


def test_every_need_is_a_part_that_stops_later() -> None:
    for part in PARTS.values():
        assert all(PARTS[need].layer <= part.layer for need in part.needs)


def test_mlflow_alone_is_not_waited_for_and_no_part_needs_it() -> None:
    assert [part.name for part in PARTS.values() if not part.waited] == ["mlflow"]
    assert all("mlflow" not in part.needs for part in PARTS.values())


def test_who_only_watches_stands_behind_the_others() -> None:
    assert {part.name for part in PARTS.values() if part.nice > 0} == {"mlflow", "tracker"}


def test_storage_stops_last() -> None:
    assert PARTS["postgres"].layer == min(Layer)
    assert PARTS["kafka"].layer == sorted(Layer)[1]


@pytest.mark.parametrize("scale", [{"gateway": 2}, {"kafka": 3}, {"nobody": 1}, {"signals": 0}])
def test_a_scale_that_cannot_be_is_refused(scale: dict[str, int]) -> None:
    with pytest.raises(StackError, match="--scale"):
        check_scale(scale)


def test_services_that_consume_can_be_scaled() -> None:
    check_scale({"signals": 3, "marketdata": 2})

"""The tracker's table on a real PostgreSQL, and how it is written from, before a made-up MLflow."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.tracker import store, writing
from services.tracker.errors import AwayError
from services.tracker.history import Kept, kept
from services.tracker.logged import LEFT_OUT_TAG, Logged
from services.tracker.writing import NEWEST, Writing
from shared.db import Sessions, make_engine, make_sessions
from shared.market_time import wall_now
from shared.settings import DatabaseSettings
from tests.tracked_runs import record_of, run_messages

NO_TIME = timedelta()


class FakeClient:
    """An MLflow that remembers what it is told, and fails as a test wishes."""

    def __init__(self) -> None:
        self.told: dict[str, Logged] = {}
        self.unsure: list[bool] = []
        self.away = False
        self.refused: set[str] = set()

    def write(
        self, runs: Sequence[Logged], known: Mapping[str, str], *, unsure: bool
    ) -> Mapping[str, str]:
        if self.away:
            raise AwayError("nobody there")
        if runs[0].name in self.refused:
            raise ValueError(runs[0].name)
        self.told[runs[0].name] = runs[0]
        self.unsure.append(unsure)
        return dict(known) or {run.symbol: f"id-{run.name}" for run in runs}


@pytest.fixture
async def sessions(database: DatabaseSettings) -> AsyncIterator[Sessions]:
    engine = make_engine(database, name="test")
    async with make_sessions(engine).begin() as session:
        await session.execute(text("TRUNCATE tracker.runs CASCADE"))
    yield make_sessions(engine)
    await engine.dispose()


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    client = FakeClient()
    monkeypatch.setattr(Writing, "_mlflow", lambda _: client)
    monkeypatch.setattr(writing, "_MISSED", NO_TIME)
    monkeypatch.setattr(writing, "_EVERY_S", 0.01)
    return client


@pytest.fixture
def tracker(sessions: Sessions, mlflow: FakeClient) -> Writing:
    assert mlflow.told == {}
    return Writing(sessions, "http://mlflow.test")


def events_of(run_id: str) -> list[Kept]:
    messages = run_messages(run_id)
    return [kept(record_of(message, place)) for place, message in enumerate(messages)]


async def keep(sessions: Sessions, events: Sequence[Kept]) -> int:
    async with sessions.begin() as session:
        return await store.keep(session, events)


async def due(sessions: Sessions) -> list[str]:
    async with sessions.begin() as session:
        return [run.run_id for run in await store.due(session, 1000)]


async def test_an_event_that_comes_again_is_kept_once(sessions: Sessions) -> None:
    events = events_of("run-1")

    assert await keep(sessions, events * 2) == len(events)
    assert await keep(sessions, events) == 0


async def test_a_finished_run_is_written_once(
    sessions: Sessions, tracker: Writing, mlflow: FakeClient
) -> None:
    await keep(sessions, events_of("run-1"))

    await tracker.write_due()
    await tracker.write_due()

    assert list(mlflow.told) == ["run-1"]
    assert mlflow.unsure == [False]
    assert await due(sessions) == []


async def test_a_run_that_goes_on_is_not_due(sessions: Sessions) -> None:
    await keep(sessions, events_of("run-1")[:-1])

    assert await due(sessions) == []


async def test_a_run_is_not_written_before_all_of_it_is_read(
    sessions: Sessions, tracker: Writing, mlflow: FakeClient
) -> None:
    *others, evidence = sorted(
        events_of("run-1"), key=lambda event: event.topic == "evidence.captured"
    )
    await keep(sessions, others)
    await tracker.write_due()
    assert mlflow.told == {}

    await keep(sessions, [evidence])
    await tracker.write_due()
    assert list(mlflow.told) == ["run-1"]


async def test_news_of_a_run_that_was_written_is_written_too(
    sessions: Sessions, tracker: Writing, mlflow: FakeClient
) -> None:
    *run, last = events_of("run-1")
    await keep(sessions, [*run, last])
    await tracker.write_due()
    mlflow.told.clear()

    waiting = run_messages("run-1", waiting=True)[1]
    await keep(sessions, [kept(record_of(waiting, 99))])
    await tracker.write_due()

    assert list(mlflow.told) == ["run-1"]


async def test_while_mlflow_is_away_everything_waits(
    sessions: Sessions, tracker: Writing, mlflow: FakeClient
) -> None:
    ids = [f"run-{n}" for n in range(6)]
    for run_id in ids:
        await keep(sessions, events_of(run_id))
    mlflow.away = True
    await tracker.write_due()
    assert sorted(await due(sessions)) == ids

    mlflow.away = False
    await tracker.write_due()
    await tracker.write_due()

    assert sorted(mlflow.told) == ids
    assert True in mlflow.unsure  # what was tried may have left something behind


async def test_a_run_that_mlflow_refuses_delays_no_other(
    sessions: Sessions, tracker: Writing, mlflow: FakeClient
) -> None:
    mlflow.refused = {"run-0"}
    for n in range(6):
        await keep(sessions, events_of(f"run-{n}"))

    await tracker.write_due()

    assert sorted(mlflow.told) == [f"run-{n}" for n in range(1, 6)]


async def test_far_behind_the_newest_have_their_charts_and_the_others_say_why_not(
    sessions: Sessions, tracker: Writing, mlflow: FakeClient
) -> None:
    count = NEWEST + 3
    events = [event for n in range(count) for event in events_of(f"run-{n:03}")]
    await keep(sessions, events)

    await tracker.write_due()

    without = sorted(run.name for run in mlflow.told.values() if LEFT_OUT_TAG in run.tags)
    assert len(mlflow.told) == count
    assert without == ["run-000", "run-001", "run-002"]
    assert mlflow.told["run-000"].tags[LEFT_OUT_TAG] == (
        "chart and trace: 202 newer runs were waiting"
    )


async def test_a_second_tracker_leaves_the_writing_to_the_first(
    sessions: Sessions, tracker: Writing, mlflow: FakeClient
) -> None:
    await keep(sessions, events_of("run-1"))
    lock = text("SELECT pg_advisory_xact_lock(hashtext('tracker.write'))")

    async with sessions.begin() as other:
        await other.execute(lock)
        await tracker.write_due()
    assert mlflow.told == {}

    await tracker.write_due()
    assert list(mlflow.told) == ["run-1"]


async def test_what_mlflow_has_is_forgotten_and_nothing_else(
    sessions: Sessions, tracker: Writing
) -> None:
    await keep(sessions, events_of("run-1"))
    await tracker.write_due()
    await keep(sessions, events_of("run-2"))

    async with sessions.begin() as session:
        later = wall_now() + timedelta(days=1)
        await store.prune(session, later, wall_now() - timedelta(days=45))
        left = await session.execute(text("SELECT DISTINCT run_id FROM tracker.events"))
        assert left.scalars().all() == ["run-2"]
        assert await store.known_ids(session, "run-1") != {}

"""When requests may go."""

import math

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.limits import Priority, limit_of, priority_of
from services.gateway.schedule import PENALTY_S, Schedule

SNAPSHOT, HISTORY = "iserver/marketdata/snapshot", "iserver/marketdata/history"
PATHS = [
    SNAPSHOT,
    HISTORY,
    "tickle",
    "iserver/auth/status",
    "iserver/accounts",
    "iserver/account/orders",
    "portfolio/accounts",
    "trsrv/stocks",
    "iserver/contract/4815747/info",
]


def most_in(instants: list[float], window_s: float) -> int:
    """Return the largest number of instants in any half-open window."""
    return max((sum(a <= b < a + window_s for b in instants) for a in instants), default=0)


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.floats(0, 3)), max_size=60))
def test_no_window_ever_has_too_many(wishes: list[tuple[str, float]]) -> None:
    schedule, now, begun = Schedule(), 0.0, list[tuple[str, float]]()
    for path, pause in wishes:
        now = schedule.earliest(path, now + pause)
        schedule.begin(path, now)
        schedule.done(path)
        begun.append((path, now))
    assert most_in([at for _, at in begun], 1) <= 8
    for path in PATHS:
        limit = limit_of(path)
        if limit.prefix:
            assert most_in([at for p, at in begun if p == path], limit.window_s) <= limit.count


def test_eight_go_at_once_and_the_ninth_a_second_later() -> None:
    schedule = Schedule()
    for _ in range(8):
        assert schedule.earliest("trsrv/stocks", 10) == 10
        schedule.begin("trsrv/stocks", 10)
    assert schedule.earliest("trsrv/stocks", 10) == 11
    assert schedule.earliest("trsrv/stocks", 12) == 12


def test_the_fifth_chart_waits_for_one_of_four_to_end() -> None:
    schedule = Schedule()
    for _ in range(4):
        schedule.begin(HISTORY, 0)
    assert schedule.earliest(HISTORY, 5) == math.inf
    assert schedule.earliest(SNAPSHOT, 5) == 5
    schedule.done(HISTORY)
    assert schedule.earliest(HISTORY, 5) == 5


def test_a_refusal_holds_its_path_and_no_other() -> None:
    schedule = Schedule()
    schedule.refused(SNAPSHOT, begun=0, now=0.1, retry_after_s=None)
    assert schedule.earliest(SNAPSHOT, 0.2) == 1.1
    assert schedule.earliest("tickle", 0.2) == 0.2


def test_the_brokers_own_wish_is_respected() -> None:
    schedule = Schedule()
    schedule.refused(SNAPSHOT, begun=0, now=0, retry_after_s=30)
    assert schedule.earliest(SNAPSHOT, 1) == 30


def test_a_second_refusal_holds_everything_for_the_penalty_time() -> None:
    schedule = Schedule()
    schedule.refused(SNAPSHOT, begun=0, now=0, retry_after_s=None)
    schedule.refused(HISTORY, begun=60, now=61, retry_after_s=None)
    assert schedule.earliest("tickle", 62) == 61 + PENALTY_S


def test_requests_that_were_under_way_together_are_one_offence() -> None:
    schedule = Schedule()
    schedule.refused(SNAPSHOT, begun=0, now=0.1, retry_after_s=None)
    schedule.refused(SNAPSHOT, begun=0.05, now=0.2, retry_after_s=None)
    assert schedule.earliest("tickle", 0.3) == 0.3


def test_an_old_refusal_is_forgotten() -> None:
    schedule = Schedule()
    schedule.refused(SNAPSHOT, begun=0, now=0, retry_after_s=None)
    schedule.refused(SNAPSHOT, begun=PENALTY_S + 1, now=PENALTY_S + 1, retry_after_s=None)
    assert schedule.earliest("tickle", PENALTY_S + 2) == PENALTY_S + 2


def test_keep_alive_goes_before_data() -> None:
    first = {path for path in PATHS if priority_of(path) is Priority.KEEP_ALIVE}
    assert first == {"tickle", "iserver/auth/status", "iserver/accounts"}

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clock.calendar import UnknownExchangeError, closed_days, expiry, session_at
from shared.trading_days import HORIZON


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "is_open", "next_bell"),
    [
        ("2023-05-25T13:29:59", False, "2023-05-25T13:30:00"),
        ("2023-05-25T13:30:00", True, "2023-05-25T20:00:00"),
        ("2023-05-25T19:59:59", True, "2023-05-25T20:00:00"),
        ("2023-05-25T20:00:00", False, "2023-05-26T13:30:00"),
        ("2026-11-26T15:00:00", False, "2026-11-27T14:30:00"),  # Thanksgiving
        ("2026-11-27T17:59:59", True, "2026-11-27T18:00:00"),  # early close
        ("2026-11-27T18:00:00", False, "2026-11-30T14:30:00"),
        ("2026-11-28T15:00:00", False, "2026-11-30T14:30:00"),  # Saturday
    ],
)
def test_the_exchange_is_open_when_it_is(instant: str, is_open: bool, next_bell: str) -> None:
    session = session_at("XNYS", at(instant))

    assert (session.is_open, session.next_bell) == (is_open, at(next_bell))


@given(st.datetimes(datetime(2013, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_next_bell_is_always_ahead_and_the_last_never(instant: datetime) -> None:
    session = session_at("XNYS", instant)

    assert session.since <= instant < session.next_bell


def test_an_exchange_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(UnknownExchangeError, match="'MOON'"):
        session_at("MOON", at("2023-05-25T13:30:00"))


def test_a_run_ends_with_its_deadline_or_half_an_hour_after_the_bell_or_at_the_close() -> None:
    bell, close = at("2023-05-25T13:30:00"), at("2023-05-25T20:00:00")

    assert expiry(bell, close, deadline=close) == close
    assert expiry(bell, close, deadline=None) == bell + timedelta(minutes=30)
    assert expiry(close - timedelta(minutes=5), close, deadline=None) == close


def test_the_closed_days_are_the_weekdays_without_trading_of_the_last_400_days() -> None:
    closed = closed_days("XNYS", date(2019, 1, 2))

    assert closed[-3:] == (date(2018, 12, 5), date(2018, 12, 25), date(2019, 1, 1))
    assert len(closed) == 12
    # An early close is a trading day.
    assert date(2018, 12, 24) not in closed
    assert all(day >= date(2019, 1, 2) - HORIZON for day in closed)

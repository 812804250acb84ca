from datetime import UTC, date, datetime

import exchange_calendars
import pytest

from services.simulator.trading_days import hours, is_trading_day, next_trading_day


# The library's own use of pandas, which is newer than it.
@pytest.mark.filterwarnings("ignore:Series.values")
def test_days_and_hours_are_those_of_the_exchange_calendar() -> None:
    calendar = exchange_calendars.get_calendar("XNYS", start="2013-01-01", end="2027-06-30")

    for row in calendar.schedule.itertuples():
        session = hours(row.Index.date())
        assert (session.open, session.close) == (
            row.open.to_pydatetime(),
            row.close.to_pydatetime(),
        )

    ours = set()
    day = date(2013, 1, 1)
    while (day := next_trading_day(day)) <= date(2027, 6, 30):
        ours.add(day)
    assert ours == {session.date() for session in calendar.sessions}


@pytest.mark.parametrize(
    "day", [date(2018, 12, 5), date(2022, 6, 20), date(2023, 4, 7), date(2023, 6, 3)]
)
def test_mourning_observed_holidays_good_friday_and_weekends_are_no_trading_days(
    day: date,
) -> None:
    assert not is_trading_day(day)


def test_the_day_after_thanksgiving_closes_at_one() -> None:
    assert hours(date(2026, 11, 27)).close == datetime(2026, 11, 27, 18, tzinfo=UTC)

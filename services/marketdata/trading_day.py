"""Which day it is at the exchange. Pure."""

from datetime import date, datetime, timedelta

from shared.ibkr.history import NEW_YORK


def today(market_time: datetime) -> date:
    """Return the date in New York: bars before it are finished, the one on it is not."""
    return market_time.astimezone(NEW_YORK).date()


def day_before(day: date) -> date:
    """Return the calendar day before, through which all is finished while ``day`` lasts."""
    return day - timedelta(days=1)

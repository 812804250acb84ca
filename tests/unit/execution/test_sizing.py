from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.book import apply, equity
from services.execution.fill import simulate
from services.execution.limits import within_limits
from services.execution.sizing import STOP_ATRS, Size, size_buy, size_sell
from shared.events.order import AccountSnapshot, Order, Position
from shared.events.run import Limits
from tests.unit.execution.builders import ACCOUNT, NOW, a_quote, an_account, limits

money = st.decimals(min_value=0, max_value=200_000, places=2)
prices = st.decimals(min_value="0.01", max_value=5_000, places=2)
shares_held = st.integers(min_value=1, max_value=400).map(Decimal)
accounts = st.builds(
    AccountSnapshot,
    account=st.just(ACCOUNT),
    cash=money,
    positions=st.lists(
        st.builds(
            Position,
            symbol=st.sampled_from(["NVDA", "TSLA"]),
            quantity=shares_held,
            average_price=prices,
        ),
        unique_by=lambda position: position.symbol,
    ).map(tuple),
)


def caps(**which: int | str) -> Limits:
    """Limits of which only those named bind."""
    wide = dict.fromkeys(
        ("max_order_notional", "max_position_notional", "max_gross_exposure"), 10**9
    )
    return limits(**{**wide, "risk_per_trade_percent": 100, **which})


def size_at(
    ask: Decimal, account: AccountSnapshot, limit: Limits, atr: str = "5", stop_loss: str = "0"
) -> Size:
    """The size of a buy of TSLA; its stop is one and a half ranges away, or where it is put."""
    stop = Decimal(stop_loss) or ask - STOP_ATRS * Decimal(atr)
    return size_buy("TSLA", ask, atr=Decimal(atr), stop_loss=stop, snapshot=account, limits=limit)


@pytest.mark.parametrize(
    ("bound_by", "limit", "shares"),
    [
        # 1 % of 100,000 is 1,000, and a stop one and a half ranges away loses 7.50 a share.
        ("risk_per_trade_percent", caps(risk_per_trade_percent=1), 133),
        ("max_order_notional", caps(max_order_notional=10_050), 100),
        ("max_position_notional", caps(max_position_notional=2_500), 15),
        ("max_gross_exposure", caps(max_gross_exposure=9_000), 20),
        ("cash", caps(), 930),
    ],
)
def test_the_least_limit_decides_and_is_named(bound_by: str, limit: Limits, shares: int) -> None:
    account = an_account(cash=93_000, TSLA=(10, 100), NVDA=(20, 300))

    size = size_at(Decimal(100), account, limit)

    assert (size.quantity, size.bound_by) == (Decimal(shares), bound_by)


@pytest.mark.parametrize(("ask", "shares"), [(50, 200), (100, 100), (400, 25), (12_000, 0)])
def test_a_share_costs_its_price_and_not_a_hundred_dollars(ask: int, shares: int) -> None:
    size = size_at(Decimal(ask), an_account(), caps(max_order_notional=10_000))

    assert size.quantity == shares


def test_a_limit_that_is_overdrawn_allows_nothing() -> None:
    account = an_account(cash=50_000, TSLA=(300, 90))

    size = size_at(Decimal(100), account, limits())

    assert (size.quantity, size.bound_by) == (Decimal(0), "max_position_notional")


@given(
    account=accounts,
    ask=prices,
    atr=st.decimals(min_value="0.01", max_value=500, places=2),
    away=st.decimals(min_value="0.01", max_value="0.99", places=2),
    limit=st.builds(
        limits,
        max_order_notional=money,
        max_position_notional=money,
        max_gross_exposure=money,
        risk_per_trade_percent=st.integers(0, 100),
    ),
)
def test_no_buy_passes_a_limit_or_leaves_cash_below_zero(
    account: AccountSnapshot, ask: Decimal, atr: Decimal, away: Decimal, limit: Limits
) -> None:
    stop = ask * away
    size = size_buy("TSLA", ask, atr=atr, stop_loss=stop, snapshot=account, limits=limit)

    assert size.quantity == int(size.quantity) >= 0
    budget = equity(account) * limit.risk_per_trade_percent / 100
    assert size.quantity * max(ask - stop, STOP_ATRS * atr) <= budget
    if size.quantity > 0:
        order = Order(
            side="BUY", quantity=size.quantity, order_type="LMT", limit_price=ask, tif="DAY"
        )
        fill = simulate(order, a_quote(bid=str(ask), ask=str(ask)), NOW)
        assert all(check.passed for check in within_limits("TSLA", order, account, limit))
        assert apply(account, "TSLA", "BUY", fill).cash >= 0


@pytest.mark.parametrize(
    ("stop_loss", "shares"),
    [
        # A thousand dollars may be lost, and a range of 5 makes 7.50 a share the least risk.
        ("70", 33),
        ("50", 20),
        ("92", 125),
        ("92.5", 133),
        ("99", 133),
        ("99.99", 133),
    ],
)
def test_a_share_risks_the_way_to_its_stop_and_at_least_one_and_a_half_ranges(
    stop_loss: str, shares: int
) -> None:
    size = size_at(Decimal(100), an_account(), caps(risk_per_trade_percent=1), stop_loss=stop_loss)

    assert (size.quantity, size.bound_by) == (Decimal(shares), "risk_per_trade_percent")


@pytest.mark.parametrize(
    ("average", "shares"),
    [
        # 50 shares of TSLA are worth 5,000 at the ask of 100, whatever they cost; NVDA 6,000.
        (10, 90),
        (100, 90),
        (120, 80),
    ],
)
def test_exposure_counts_the_traded_symbol_at_the_market_where_it_rose(
    average: int, shares: int
) -> None:
    account = an_account(TSLA=(50, average), NVDA=(20, 300))

    size = size_at(Decimal(100), account, caps(max_gross_exposure=20_000), atr="1")

    assert (size.quantity, size.bound_by) == (Decimal(shares), "max_gross_exposure")


@given(own=st.integers(-10, 5_000))
def test_an_exit_is_all_that_is_held_and_never_more(own: int) -> None:
    assert size_sell("TSLA", an_account(TSLA=(own, 90))).quantity == max(own, 0)


def test_an_exit_is_sized_by_what_is_held_however_far_limits_are_passed() -> None:
    account = an_account(cash=-5_000, TSLA=(90, 500), NVDA=(1_000, 400))

    assert size_sell("TSLA", account).quantity == 90

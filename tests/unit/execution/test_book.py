from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.execution.book import Side, apply, equity, exposure, held
from shared.events.order import AccountSnapshot, Fill
from tests.unit.execution.builders import NOW, an_account

History = list[tuple[Side, Decimal, Decimal]]
prices = st.decimals(min_value="0.01", max_value=5_000, places=4)
quantities = st.integers(min_value=1, max_value=1_000).map(Decimal)
trades = st.lists(st.tuples(st.sampled_from(["BUY", "SELL"]), prices, quantities), max_size=12)


def a_fill(price: Decimal | int, quantity: Decimal | int) -> Fill:
    return Fill(price=Decimal(price), quantity=Decimal(quantity), at=NOW, simulated=True)


def traded(account: AccountSnapshot, history: History) -> AccountSnapshot:
    for side, price, quantity in history:
        account = apply(account, "TSLA", side, a_fill(price, quantity))
    return account


@given(trades)
def test_the_position_is_the_sum_of_the_fills_and_cash_is_what_they_cost(history: History) -> None:
    signed = [(shares if side == "BUY" else -shares, price) for side, price, shares in history]

    account = traded(an_account(cash=1_000_000), history)

    assert held(account, "TSLA") == sum(quantity for quantity, _ in signed)
    assert account.cash == 1_000_000 - sum(quantity * price for quantity, price in signed)


@given(st.lists(st.tuples(st.just("BUY"), prices, quantities), min_size=1, max_size=12))
def test_buying_turns_cash_into_cost_and_loses_none(history: History) -> None:
    account = traded(an_account(cash=1_000_000), history)

    # Each fill may round the average price by half a millionth a share.
    tolerance = held(account, "TSLA") * len(history) * Decimal("0.0000005")
    assert abs(equity(account) - 1_000_000) <= tolerance


def test_exposure_is_of_long_and_short_and_never_below_the_market_of_the_traded_symbol() -> None:
    account = an_account(TSLA=(-10, 50), NVDA=(7, 300))

    assert exposure(account, "TSLA", Decimal(60)) == 10 * 60 + 7 * 300
    assert exposure(account, "TSLA", Decimal(40)) == 10 * 50 + 7 * 300
    assert exposure(account, "AAPL", Decimal(40)) == 10 * 50 + 7 * 300


def test_closing_a_part_keeps_the_average_price_and_books_the_profit_as_cash() -> None:
    account = apply(an_account(cash=0, TSLA=(100, 50)), "TSLA", "SELL", a_fill(60, 40))

    assert account.positions == an_account(TSLA=(60, 50)).positions
    assert account.cash == 2_400


def test_a_position_that_is_closed_leaves_no_row_and_others_alone() -> None:
    account = an_account(cash=0, NVDA=(7, 300), TSLA=(100, 50))

    account = apply(account, "TSLA", "SELL", a_fill(60, 100))

    assert account.positions == an_account(NVDA=(7, 300)).positions


def test_a_position_that_turns_around_has_the_price_of_the_turn() -> None:
    account = apply(an_account(cash=0, TSLA=(10, 50)), "TSLA", "SELL", a_fill(60, 15))

    assert account.positions == an_account(TSLA=(-5, 60)).positions

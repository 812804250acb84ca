"""Which account an order is for."""

from shared.events.base import Mode
from shared.events.signal import SignalChecked

UNRESOLVED = "unresolved"


def account_of(signal: SignalChecked) -> str:
    """Return the account of a signal: a dry run has a book of its own per strategy.

    Else the one that the run names, or the strategy, or the login's only one; ``unresolved`` where
    none or several remain, which no order may be placed on.
    """
    context = signal.context
    if context.mode is Mode.DRY_RUN:
        return f"dry:{context.strategy.id}"
    named = context.account if context.account is not None else context.strategy.account
    if named is not None:
        return named
    return signal.accounts[0] if len(signal.accounts) == 1 else UNRESOLVED

"""What can go wrong with the broker.

::

    BrokerError
    ├── UnreachableError        nobody answered: refused, TLS, time-out
    ├── UnavailableError        it answered that it cannot now: 5xx, 423
    │   └── TimedOutError       504: it did not answer who asked it for us
    ├── NotLoggedInError        no outer session: 401, a redirect, a login page, "no session"
    ├── NoBridgeError           logged in, no brokerage session (or not for some seconds yet)
    ├── AccountsFirstError      /iserver/accounts must be asked first in this session
    ├── TooManyRequestsError    429: asking again soon makes it worse
    ├── RefusedError            it understood and said no
    │   └── NotFoundError       404
    ├── BadAnswerError          not the documented shape
    │   └── BadBarsError        bars that no market can have made
    ├── NoQuoteError            no usable last, bid and ask
    ├── UnknownSymbolError      no US stock of that symbol
    └── AmbiguousContractError  more than one
"""


class BrokerError(Exception):
    """Any failure of the broker. ``attempts`` is how often the request was made."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.attempts = 1


class UnreachableError(BrokerError):
    """Nobody answered. Bytes may have been read on the other side."""


class UnavailableError(BrokerError):
    """The broker's own servers fail or are warming up; a later GET may succeed."""


class TimedOutError(UnavailableError):
    """The gateway waited in vain for the broker's answer."""


class NotLoggedInError(BrokerError):
    """A person must log in on the Client Portal's page."""


class NoBridgeError(BrokerError):
    """There is no brokerage session: ``ssodh/init`` opens one."""


class AccountsFirstError(BrokerError):
    """``/iserver/accounts`` was not asked yet in this brokerage session."""


class TooManyRequestsError(BrokerError):
    """The pace was too high. ``retry_after_s`` is the broker's own wish, where it says one."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class RefusedError(BrokerError):
    """The broker understood the request and refused it; the same again will be refused again."""


class NotFoundError(RefusedError):
    """404. The history endpoint also says so while it warms up."""


class BadAnswerError(BrokerError):
    """The answer has not the documented shape; nothing in it is used."""


class BadBarsError(BadAnswerError):
    """Bars contradict themselves, or are not those that were asked for."""


class NoQuoteError(BrokerError):
    """After all warm-up polls there is no usable last, bid and ask."""


class UnknownSymbolError(BrokerError):
    """The broker knows no US stock of this symbol."""


class AmbiguousContractError(BrokerError):
    """The broker knows several US stocks of this symbol; the reason lists them."""

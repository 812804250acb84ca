"""Contracts by symbol: the listing in New York, and the namesakes that a client must not take."""

from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

# conid and name as the broker has them; other symbols get a stable number of their own.
_KNOWN = {
    "AAPL": (265598, "APPLE INC", "Computers"),
    "AMZN": (3691937, "AMAZON.COM INC", "Internet"),
    "GOOGL": (208813719, "ALPHABET INC-CL A", "Internet"),
    "NVDA": (4815747, "NVIDIA CORP", "Semiconductors"),
    "TSLA": (76792991, "TESLA INC", "Auto Manufacturers"),
}
_KNOWN_CDR = {"NVDA": 541229759}
_MADE_UP_FROM = 600_000_000
_MADE_UP = 99_999_999


@dataclass(frozen=True, slots=True)
class Contract:
    """One listing. Only those with ``is_us`` have data here."""

    conid: int
    symbol: str
    name: str
    exchange: str
    currency: str
    is_us: bool
    category: str = ""


class Instruments:
    """All contracts that the simulator knows."""

    def __init__(self, symbols: Iterable[str], *, synthetic: bool) -> None:
        self._listings = {symbol: _listings(symbol, synthetic=synthetic) for symbol in symbols}
        self._by_conid = {
            contract.conid: contract
            for listings in self._listings.values()
            for contract in listings
        }

    def of_symbol(self, symbol: str) -> tuple[Contract, ...]:
        """Return the New York listing, the Mexican one and the Canadian receipt; or nothing."""
        return self._listings.get(symbol.strip().upper(), ())

    def of_conid(self, conid: int) -> Contract | None:
        """Return the contract with a number."""
        return self._by_conid.get(conid)

    def traded(self) -> tuple[Contract, ...]:
        """Return the contracts that have data, in the order of their symbols."""
        return tuple(listings[0] for _, listings in sorted(self._listings.items()))


def _listings(symbol: str, *, synthetic: bool) -> tuple[Contract, Contract, Contract]:
    conid, name, category = _KNOWN.get(symbol, (_made_up(symbol), symbol, ""))
    label = " (SYNTHETIC)" if synthetic else ""
    receipt = _KNOWN_CDR.get(symbol, _made_up(f"{symbol}.TSE"))
    return (
        Contract(conid, symbol, name + label, "NASDAQ", "USD", is_us=True, category=category),
        Contract(_made_up(f"{symbol}.MEXI"), symbol, name + label, "MEXI", "MXN", is_us=False),
        Contract(receipt, symbol, f"{name}-CDR{label}", "TSE", "CAD", is_us=False),
    )


def _made_up(text: str) -> int:
    return _MADE_UP_FROM + crc32(text.encode()) % _MADE_UP

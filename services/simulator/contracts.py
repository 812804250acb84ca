"""Contracts as the endpoints describe them. Each has its own idea of what a conid is."""

from collections.abc import Sequence
from typing import Any

from services.simulator.instruments import Contract

_EXCHANGES = "SMART,AMEX,NYSE,CBOE,NASDAQ,ARCA,IEX"
_OPTIONS = {"secType": "OPT", "exchange": "SMART;AMEX;CBOE"}


def search_row(contract: Contract) -> dict[str, Any]:
    """Return a row of secdef/search; its conid is a string."""
    section = {"secType": "STK"}
    if contract.exchange == "MEXI":
        section["exchange"] = "MEXI;"
    return {
        "conid": str(contract.conid),
        "companyHeader": f"{contract.name} - {contract.exchange}",
        "companyName": contract.name,
        "symbol": contract.symbol,
        "description": contract.exchange,
        "restricted": None,
        "sections": [section, _OPTIONS] if contract.is_us else [section],
    }


def stocks(listings: Sequence[Contract]) -> list[dict[str, Any]]:
    """Return one symbol of trsrv/stocks: companies, each with its listings; conids are numbers."""
    names = dict.fromkeys(contract.name for contract in listings)
    return [
        {
            "name": name,
            "chineseName": "&#x20844;&#x53f8;",
            "assetClass": "STK",
            "contracts": [
                {"conid": c.conid, "exchange": c.exchange, "isUS": c.is_us}
                for c in listings
                if c.name == name
            ],
        }
        for name in names
    ]


def secdef(contract: Contract) -> dict[str, Any]:
    """Return a row of trsrv/secdef."""
    return {
        "incrementRules": [{"lowerEdge": 0.0, "increment": 0.01}],
        "displayRule": {
            "magnification": 0,
            "displayRuleStep": [{"decimalDigits": 2, "lowerEdge": 0.0, "wholeDigits": 4}],
        },
        "conid": contract.conid,
        "currency": contract.currency,
        "time": 43,
        "chineseName": "&#x20844;&#x53f8;",
        "allExchanges": _EXCHANGES if contract.is_us else contract.exchange,
        "listingExchange": contract.exchange,
        "countryCode": "US",
        "name": contract.name,
        "assetClass": "STK",
        "expiry": None,
        "lastTradingDay": None,
        "group": contract.category,
        "putOrCall": None,
        "sector": "Technology",
        "sectorGroup": contract.category,
        "strike": "0",
        "ticker": contract.symbol,
        "undConid": 0,
        "multiplier": 0.0,
        "type": "COMMON",
        "hasOptions": contract.is_us,
        "fullName": contract.symbol,
        "isUS": contract.is_us,
        "isEventContract": False,
        "pageSize": 100,
    }


def info(contract: Contract) -> dict[str, Any]:
    """Return contract/{conid}/info, which is in snake case."""
    return {
        "cfi_code": "",
        "symbol": contract.symbol,
        "cusip": None,
        "expiry_full": None,
        "con_id": contract.conid,
        "maturity_date": None,
        "industry": contract.category,
        "instrument_type": "STK",
        "trading_class": "NMS" if contract.is_us else contract.symbol,
        "valid_exchanges": _EXCHANGES if contract.is_us else contract.exchange,
        "allow_sell_long": False,
        "is_zero_commission_security": False,
        "local_symbol": contract.symbol,
        "contract_clarification_type": None,
        "contract_month": None,
        "company_name": contract.name,
        "classifier": None,
        "exchange": "SMART" if contract.is_us else contract.exchange,
        "currency": contract.currency,
        "text": None,
        "underlying_con_id": 0,
        "r_t_h": True,
        "multiplier": None,
        "underlying_issuer": None,
        "strike": None,
        "right": None,
        "category": contract.category,
        "smart_available": contract.is_us,
    }


def rules(limit_price: float | None) -> dict[str, Any]:
    """Return what may be ordered. Only what the simulator fills is offered."""
    return {
        "algoEligible": False,
        "allOrNoneEligible": False,
        "orderTypes": ["limit", "market"],
        "tifTypes": ["DAY/o,a", "GTC/o,a", "IOC/o,a"],
        "defaultSize": 100,
        "cashSize": 0.0,
        "sizeIncrement": 1,
        "cashCcy": "USD",
        "limitPrice": limit_price,
        "stopprice": limit_price,
        "preview": True,
        "increment": 0.01,
        "incrementDigits": 2,
    }

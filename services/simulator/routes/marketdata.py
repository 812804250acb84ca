"""Snapshots and history."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from services.simulator import snapshot, wire
from services.simulator.errors import Refusal, bad_request
from services.simulator.faults import spoil_bar, spoil_quote
from services.simulator.history import (
    BAR_SECONDS,
    HistoryBar,
    Period,
    Window,
    extremes,
    history,
    parse_period,
)
from services.simulator.instruments import Contract
from services.simulator.routes.contracts import conid_list
from services.simulator.routes.deps import (
    ACCOUNTS_FIRST,
    BROKERAGE,
    FaultsDep,
    Json,
    WorldDep,
    traded_contract,
)
from services.simulator.trading_days import hours
from services.simulator.world import World

router = APIRouter(dependencies=BROKERAGE)

_MOST_CONIDS, _MOST_FIELDS = 100, 50
_PRICE_FACTOR = 100


class UnsubscribeRequest(BaseModel):
    """Body of unsubscribe."""

    conid: int


@router.get("/iserver/marketdata/snapshot", dependencies=ACCOUNTS_FIRST)
async def snapshots(world: WorldDep, faults: FaultsDep, conids: str = "", fields: str = "") -> Json:
    """Return quotes. What was not asked for before is left out this time."""
    numbers = conid_list(conids, _MOST_CONIDS)
    names = [name for name in fields.split(",") if name]
    if len(names) > _MOST_FIELDS:
        raise bad_request(f"fields: expected at most {_MOST_FIELDS}")
    return [spoil_quote(_row(world, number, names), faults) for number in numbers]


@router.get("/iserver/marketdata/history")
async def chart(
    world: WorldDep,
    faults: FaultsDep,
    *,
    conid: int,
    period: str = "1w",
    bar: str = "",
    startTime: str | None = None,  # noqa: N803  # the broker's name
) -> Json:
    """Return bars. An unknown bar size is answered with another one, without a word."""
    started = perf_counter()
    switches = world.settings.switches
    await asyncio.sleep(switches.history_delay_s)
    if switches.history_warm_up and not world.session.history_warm:
        world.session.history_warm = True
        raise Refusal(switches.history_warm_up, {"error": "Chart data unavailable"})
    span = parse_period(period)
    if span is None:
        raise bad_request(f"invalid period: {period}")
    contract = traded_contract(world, conid)
    if contract is None:
        raise Refusal(500, {"error": "Chart data unavailable"})
    size = bar if bar in BAR_SECONDS else span.default_bar
    window = Window(span, size, _end(startTime))
    bars = history(world.market, contract.symbol, world.time.now(), window)
    if not bars:
        raise Refusal(500, {"error": "No data."})
    factor = switches.volume_factor
    return {
        **_head(contract, bars, span, size, factor),
        "data": [spoil_bar(_wire_bar(one, factor), faults) for one in bars],
        "points": len(bars) - 1,
        "travelTime": int((perf_counter() - started) * 1000),
    }


@router.post("/iserver/marketdata/unsubscribe")
async def unsubscribe(world: WorldDep, body: UnsubscribeRequest) -> Json:
    """End the stream of one contract."""
    if world.session.fields_asked.pop(body.conid, None) is None:
        raise Refusal(500, {"error": "unknown"})
    return {"success": True}


@router.get("/iserver/marketdata/unsubscribeall")
async def unsubscribe_all(world: WorldDep) -> Json:
    """End all streams."""
    world.session.fields_asked.clear()
    return {"unsubscribed": True}


def _row(world: World, conid: int, fields: list[str]) -> dict[str, Any]:
    contract = traded_contract(world, conid)
    warm = world.session.warm_fields(conid, fields, world.settings.switches.preflights)
    if contract is None or not warm:
        return snapshot.bare_row(conid)
    return snapshot.row(contract, world.market.quote(contract.symbol, world.time.now()), warm)


def _end(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise bad_request(f"invalid startTime: {text}") from None


def _head(
    contract: Contract, bars: list[HistoryBar], period: Period, size: str, factor: int
) -> dict[str, Any]:
    high, low = extremes(bars)
    first = bars[0].start
    return {
        "serverId": "20477",
        "symbol": contract.symbol,
        "text": contract.name,
        "priceFactor": _PRICE_FACTOR,
        "startTime": wire.stamp(first),
        "high": _extreme(high, first, high.traded.high * _PRICE_FACTOR, factor),
        "low": _extreme(low, first, low.traded.low * _PRICE_FACTOR, factor),
        "timePeriod": str(period),
        "barLength": BAR_SECONDS[size],
        "mdAvailability": "S",
        "mktDataDelay": 0,
        "outsideRth": False,
        "tradingDayDuration": hours(bars[-1].start.date()).seconds // 60,
        "volumeFactor": factor,
        "priceDisplayRule": 1,
        "priceDisplayValue": "2",
        "negativeCapable": False,
        "messageVersion": 2,
    }


def _extreme(bar: HistoryBar, first: datetime, scaled: Decimal, factor: int) -> str:
    minutes = int((bar.start - first).total_seconds() // 60)
    return f"{int(scaled)}/{bar.traded.volume / factor:.12g}/{minutes}"


def _wire_bar(bar: HistoryBar, factor: int) -> dict[str, float]:
    traded = bar.traded
    return {
        "o": wire.number(traded.open),
        "c": wire.number(traded.close),
        "h": wire.number(traded.high),
        "l": wire.number(traded.low),
        "v": traded.volume / factor,
        "t": wire.epoch_ms(bar.start),
    }

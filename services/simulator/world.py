"""All state of one simulator, which routes and streams share."""

from dataclasses import dataclass

from services.simulator.bars import BarSource, CsvBars
from services.simulator.book import OrderBook
from services.simulator.faults import FaultList
from services.simulator.instruments import Instruments
from services.simulator.market import Market
from services.simulator.market_time import MarketTime, OwnTime, RealTime, RecordedTime
from services.simulator.pacing import Pacing
from services.simulator.session import Session
from services.simulator.settings import Settings
from services.simulator.synthetic import SyntheticBars
from services.simulator.tape import Tape


@dataclass
class World:
    """The simulated broker and its market."""

    settings: Settings
    time: MarketTime
    market: Market
    instruments: Instruments
    session: Session
    pacing: Pacing
    faults: FaultList
    book: OrderBook
    tape: Tape


def make_world(settings: Settings) -> World:
    """Read what the settings name. Raises StartError where it cannot be used."""
    bars: BarSource = CsvBars(settings.bars) if settings.bars else SyntheticBars(settings.seed)
    market = Market(bars, settings.seed)
    instruments = Instruments(bars.symbols, synthetic=bars.kind == "synthetic")
    switches = settings.switches
    return World(
        settings=settings,
        time=_market_time(settings),
        market=market,
        instruments=instruments,
        session=Session(),
        pacing=Pacing(switches.requests_per_s, switches.path_limits, switches.penalty_s),
        faults=FaultList(),
        book=OrderBook(market, instruments, switches),
        tape=Tape(),
    )


def _market_time(settings: Settings) -> MarketTime:
    if settings.record is not None:
        return RecordedTime(settings.record)
    if settings.start is not None:
        return OwnTime(settings.start, settings.speed)
    return RealTime()

"""The drawing of a symbol."""

from decimal import Decimal
from xml.etree import ElementTree as ET

from services.tracker.chart import chart
from shared.events.signal import Action, Proposal
from shared.story import SymbolStory
from tests.unit.cli.builders import captured
from tests.unit.cli.recorded_facts import LLM
from tests.unit.cli.recorded_run import messages
from tests.unit.tracker.histories import a_history, as_kept

SVG = "{http://www.w3.org/2000/svg}"


def a_symbol(**changes: object) -> SymbolStory:
    symbol = as_kept(messages(LLM)).symbol("TSLA")
    return SymbolStory(**{**vars(symbol), **changes})


def texts(drawn: str | None) -> list[str]:
    assert drawn is not None
    return [str(text.text) for text in ET.fromstring(drawn).iter(f"{SVG}text")]


def test_the_chart_shows_candles_and_the_quote() -> None:
    drawn = chart(a_symbol())

    assert drawn is not None
    assert len(list(ET.fromstring(drawn).iter(f"{SVG}rect"))) == 1 + 90
    assert texts(drawn)[-2].startswith("TSLA, 90 days, HOLD (llm), ")
    assert any(text.startswith("last ") for text in texts(drawn))


def test_without_bars_there_is_no_chart() -> None:
    assert chart(a_history(captured("TSLA")).symbol("TSLA")) is None
    assert chart(a_history().symbol("TSLA")) is None


def test_a_level_far_off_stands_at_the_edge_and_squeezes_nothing() -> None:
    symbol = a_symbol()
    assert symbol.signal is not None
    absurd = Proposal(action=Action.BUY, confidence=0.5, stop_loss=Decimal(1), reasons=())

    drawn = chart(a_symbol(signal=symbol.signal.model_copy(update={"proposal": absurd})))

    assert "stop loss 1.00" in texts(drawn)
    rects = ET.fromstring(drawn or "").findall(f"{SVG}rect")[1:]
    assert max(float(rect.attrib["y"]) for rect in rects) > 300


def test_a_market_that_did_not_move_is_drawn() -> None:
    symbol = a_symbol()
    assert symbol.evidence is not None
    flat = dict.fromkeys(("open", "high", "low", "close"), Decimal(100))
    still = [bar.model_copy(update=flat) for bar in symbol.evidence.evidence.bars]
    evidence = symbol.evidence.evidence.model_copy(update={"bars": tuple(still)})

    drawn = chart(
        a_symbol(evidence=symbol.evidence.model_copy(update={"evidence": evidence}), orders=())
    )

    assert "nan" not in (drawn or "nan")

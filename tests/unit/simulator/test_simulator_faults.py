import pytest
from pydantic import ValidationError

from services.simulator.faults import FaultList, spoil_bar, spoil_quote


def the_faults(*faults: dict[str, object]) -> FaultList:
    return FaultList.model_validate({"faults": list(faults)})


def test_a_fault_ends_after_its_count_and_strikes_only_its_path() -> None:
    faults = the_faults({"kind": "drop", "path": "orders$", "method": "POST", "count": 1})

    assert faults.claim("GET", "iserver/account/orders") == []
    assert len(faults.claim("POST", "iserver/account/DU1/orders")) == 1
    assert faults.claim("POST", "iserver/account/DU1/orders") == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "unknown"},
        {"kind": "delay"},
        {"kind": "delay", "seconds": -1},
        {"kind": "drop", "path": "("},
        {"kind": "drop", "count": 0},
        {"kind": "drop", "colour": "red"},
        {"kind": "status", "status": 99},
    ],
)
def test_a_wrong_fault_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        the_faults(fault)


def test_quotes_are_emptied_crossed_and_aged() -> None:
    row = {"84": "1.00", "86": "1.02", "_updated": 5_000_000, "conid": 1, "conidEx": "1"}
    quotes = ("GET", "iserver/marketdata/snapshot")

    crossed = spoil_quote(row, the_faults({"kind": "crossed_quote"}).claim(*quotes))
    stale = spoil_quote(row, the_faults({"kind": "stale_updated", "age_s": 60}).claim(*quotes))
    empty = spoil_quote(row, the_faults({"kind": "empty_snapshot"}).claim(*quotes))

    assert (crossed["84"], crossed["86"]) == ("1.02", "1.00")
    assert stale["_updated"] == 4_940_000
    assert empty == {"conid": 1, "conidEx": "1"}


@pytest.mark.parametrize("high", [11.0, 10.0])
def test_a_bad_bar_has_its_high_below_its_low(high: float) -> None:
    faults = the_faults({"kind": "bad_bars"}).claim("GET", "iserver/marketdata/history")

    bar = spoil_bar({"o": 10.0, "h": high, "l": 10.0, "c": 10.0}, faults)

    assert bar["h"] < bar["l"]

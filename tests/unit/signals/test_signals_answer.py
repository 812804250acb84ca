import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signals.answer import LONGEST_ANSWER, UnreadableAnswerError, parse, read
from shared.events.signal import Action, Proposal

GOOD = {
    "reasons": ["SMA 20 98.00 is above SMA 50 95.00"],
    "action": "BUY",
    "confidence": 0.8,
    "stop_loss": 97.5,
    "take_profit": 106,
}
FIELDS = set(GOOD)


def answer(**changes: object) -> str:
    return json.dumps({**GOOD, **changes})


def refused(text: str) -> str:
    with pytest.raises(UnreadableAnswerError) as raised:
        parse(text)
    return raised.value.code


def test_the_asked_object_is_the_proposal() -> None:
    found = parse(answer())

    assert found == Proposal(
        action=Action.BUY,
        confidence=0.8,
        stop_loss=Decimal("97.5"),
        take_profit=Decimal(106),
        reasons=("SMA 20 98.00 is above SMA 50 95.00",),
    )


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```", "\n ```json\n{}\n```\n"])
def test_one_code_fence_is_taken_off(fence: str) -> None:
    assert parse(fence.replace("{}", answer())) == parse(answer())


@pytest.mark.parametrize(
    "text",
    [
        "buy",
        "You should BUY now!",
        "Here it is: " + answer(),
        answer() + " Good luck!",
        answer() + answer(),
        "```json\n" + answer() + "\n```\nBUY",
        "```json\n```json\n" + answer() + "\n```\n```",
        answer()[:-1],
        "{'action': 'BUY'}",
        answer().replace("0.8", "NaN"),
        answer().replace("0.8", "-Infinity"),
        answer().replace("0.8", "1e99999999999999999999"),
        "[" * 5000,
        "\ufeff" + answer(),
    ],
)
def test_what_is_not_one_json_object_is_unreadable(text: str) -> None:
    assert refused(text) == "answer_not_json"


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_no_text_is_unreadable(text: str) -> None:
    assert refused(text) == "answer_empty"


def test_an_endless_answer_is_unreadable() -> None:
    assert refused(answer() + " " * LONGEST_ANSWER) == "answer_too_long"


def test_a_field_given_twice_is_unreadable() -> None:
    twice = answer().replace('"action": "BUY"', '"action": "SELL", "action": "BUY"')

    assert refused(twice) == "answer_duplicate_key"


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "buy"},
        {"action": "STRONG BUY"},
        {"action": None},
        {"action": ["BUY"]},
        {"confidence": "0.8"},
        {"confidence": "80%"},
        {"confidence": True},
        {"confidence": None},
        {"confidence": 1.0001},
        {"confidence": -0.1},
        {"confidence": 70},
        {"stop_loss": 0},
        {"stop_loss": -97},
        {"stop_loss": "97.5"},
        {"take_profit": False},
        {"take_profit": 1e300},
        {"take_profit": 1e-9},
        {"reasons": "because"},
        {"reasons": [1]},
        {"reasons": [""]},
        {"reasons": ["x" * 501]},
        {"reasons": ["x"] * 11},
        {"reasons": []},
        {"reasons": ["it rises", "-"]},
        {"reasons": [" \t\n"]},
        {"reasons": ["\u2800"]},  # a blank of Braille
        {"reasons": ["\u3164\u115f\u1160\uffa0"]},  # letters of Hangul that show nothing
        {"reasons": ["\u0301"]},  # an accent on nothing
        {"reasons": ["\U0001f680 ..."]},
        {"reasons": ["\x1b[2J gone"]},
        {"reasons": ["it rises\x07"]},
        {"reasons": ["it rises\x9b2J"]},
        {"reasons": ["it \u202erises\u202c"]},  # turns the line around
        {"reasons": ["it \u2066rises\u2069"]},
        {"reasons": ["it\u200brises"]},
        {"reasons": [True]},
        {"reasons": [["it rises"]]},
        {"reasons": {"0": "it rises"}},
        {"reasons": None},
        {"reasons": ["\ud800"]},
        {"side": "BUY"},
    ],
)
def test_another_shape_is_unreadable(changes: dict[str, object]) -> None:
    assert refused(answer(**changes)) == "answer_wrong_shape"


@pytest.mark.parametrize("field", ["confidence", "stop_loss", "take_profit"])
@pytest.mark.parametrize("digits", ["1." + "0" * 20, "1." + "0" * 19_000, "0." + "9" * 21])
def test_a_number_of_more_digits_than_any_price_has_is_unreadable(field: str, digits: str) -> None:
    text = answer(**{field: "?"}).replace('"?"', digits)

    assert refused(text) == "answer_wrong_shape"


@pytest.mark.parametrize(
    "said",
    [
        "0.69999999999999999999",
        "0.6999999999999999999",
        "0.69999999999999999",
        "6.9999999999999999e-1",
    ],
)
def test_a_confidence_is_never_taken_for_more_than_was_said(said: str) -> None:
    confidence = parse(answer().replace("0.8", said)).confidence

    assert confidence < 0.7
    assert confidence == pytest.approx(0.7)


@pytest.mark.parametrize("said", ["0.7", "0.70", "7e-1", "0.70000000000000000001"])
def test_a_confidence_of_exactly_what_is_required_is_that(said: str) -> None:
    assert parse(answer().replace("0.8", said)).confidence == 0.7


@pytest.mark.parametrize("name", ["action", "confidence", "stop_loss", "reasons"])
def test_a_field_given_twice_is_unreadable_however_it_is_spelt(name: str) -> None:
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
    twice = answer().replace(f'"{name}":', f'"{escaped}": null, "{name}":')

    assert refused(twice) == "answer_duplicate_key"


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_each_field_is_required(field: str) -> None:
    fields = {name: value for name, value in GOOD.items() if name != field}

    assert refused(json.dumps(fields)) == "answer_wrong_shape"


@pytest.mark.parametrize("text", ['"BUY"', "[]", "null", "1", "true"])
def test_json_of_another_kind_is_unreadable(text: str) -> None:
    assert refused(text) == "answer_wrong_shape"


def test_why_it_is_unreadable_names_what_was_expected_and_found() -> None:
    found = read(answer(confidence="70%"))

    assert isinstance(found, UnreadableAnswerError)
    assert found.reason == (
        "expected confidence, a number from 0 to 1 of at most 20 digits, found '70%'"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=5,
)
near_misses = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["BUY", "SELL", "HOLD", "buy", " BUY"]) | json_values,
        "confidence": st.floats(-0.5, 1.5) | json_values,
        "stop_loss": st.floats(-1, 200) | json_values,
        "take_profit": st.floats(-1, 200) | json_values,
        "reasons": st.lists(st.text(max_size=20), max_size=3) | json_values,
    },
)
texts = st.one_of(
    st.text(),
    json_values.map(json.dumps),
    near_misses.map(json.dumps),
    st.tuples(st.sampled_from(["", "BUY ", "```json\n"]), near_misses.map(json.dumps)).map("".join),
)


@given(texts)
def test_a_proposal_comes_only_from_an_object_that_says_exactly_it(text: str) -> None:
    found = read(text)

    if isinstance(found, Proposal):
        said = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        assert set(said) == FIELDS
        assert said["action"] == found.action
        assert float(said["confidence"]) == found.confidence
        assert said["stop_loss"] == found.stop_loss
        assert said["take_profit"] == found.take_profit
        assert [" ".join(reason.split()) for reason in said["reasons"]] == list(found.reasons)
        assert found.reasons
        assert all(reason.isprintable() for reason in found.reasons)


@given(st.sampled_from(Action), st.floats(0, 1), st.none() | st.floats(1, 1e6))
def test_every_object_of_the_asked_shape_is_read(
    action: Action, confidence: float, level: float | None
) -> None:
    said = answer(action=action, confidence=confidence, stop_loss=level, take_profit=level)

    assert parse(said).action is action
    assert parse(said).confidence == confidence


@given(st.decimals(0, 1, allow_nan=False))
def test_a_confidence_as_people_read_it_is_at_most_what_was_said(said: Decimal) -> None:
    found = read(answer().replace("0.8", str(said)))

    assert isinstance(found, Proposal) == (len(said.as_tuple().digits) <= 20)
    if isinstance(found, Proposal):
        assert 0 <= said - Decimal(repr(found.confidence)) < Decimal("1e-15")


@given(st.integers(0, len(answer()) - 1))
def test_no_part_of_an_answer_is_a_proposal(length: int) -> None:
    assert isinstance(read(answer()[:length]), UnreadableAnswerError)

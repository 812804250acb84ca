"""What a model answered: one JSON object of the asked shape, or unreadable. Nothing is guessed."""

import json
import math
import re
from decimal import Decimal
from typing import Any, Final, TypeGuard

from shared.events.signal import Action, Proposal

LONGEST_ANSWER: Final = 20_000
_LONGEST_REASON: Final = 500
_MOST_REASONS: Final = 10
_LEVELS: Final = (Decimal("0.0001"), Decimal(10_000_000))
# A number of a computer has 17 at most.
_MOST_DIGITS: Final = 20
# The Hangul fillers: letters by class that show nothing.
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL)
_LEVEL_SCHEMA: Final = {"type": ["number", "null"]}

# Asked of the endpoint, reasons first: what is said first bears on what follows. The parser below
# does not rely on it, takes any order, and longer reasons.
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "reasons": {
            "type": "array",
            "items": {"type": "string", "maxLength": 80},
            "minItems": 1,
            "maxItems": 2,
        },
        "action": {"type": "string", "enum": [action.value for action in Action]},
        "confidence": {"type": "number"},
        "stop_loss": _LEVEL_SCHEMA,
        "take_profit": _LEVEL_SCHEMA,
    },
    "required": ["reasons", "action", "confidence", "stop_loss", "take_profit"],
    "additionalProperties": False,
}
_FIELDS: Final = frozenset(SCHEMA["required"])


class UnreadableAnswerError(Exception):
    """An answer is not the object that was asked for."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def read(text: str) -> Proposal | UnreadableAnswerError:
    """Return the proposal in an answer, or why there is none, as a value."""
    try:
        return parse(text)
    except UnreadableAnswerError as e:
        return e


def parse(text: str) -> Proposal:
    """Return the proposal of an answer, bare or in one fence. Raises UnreadableAnswerError."""
    fields = _object(_bare(text))
    if fields.keys() != _FIELDS:
        raise _wrong("the fields " + ", ".join(sorted(_FIELDS)), ", ".join(fields) or "none")
    return Proposal(
        action=_action(fields["action"]),
        confidence=_confidence(fields["confidence"]),
        stop_loss=_level("stop_loss", fields["stop_loss"]),
        take_profit=_level("take_profit", fields["take_profit"]),
        reasons=_reasons(fields["reasons"]),
    )


def _bare(text: str) -> str:
    if len(text) > LONGEST_ANSWER:
        found = f"{len(text)} characters, at most {LONGEST_ANSWER} are read"
        raise UnreadableAnswerError("answer_too_long", found)
    bare = text.strip()
    if not bare:
        raise UnreadableAnswerError("answer_empty", "expected a JSON object, found no text")
    fenced = _FENCE.fullmatch(bare)
    return fenced.group(1) if fenced else bare


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(
            text,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_once_each,
        )
    except (ValueError, ArithmeticError, RecursionError) as e:
        reason = f"expected one JSON object and nothing else: {type(e).__name__}: {e}"
        raise UnreadableAnswerError("answer_not_json", reason) from e
    if not isinstance(found, dict):
        raise _wrong("a JSON object", found)
    return found


def _no_constant(name: str) -> None:
    raise UnreadableAnswerError("answer_not_json", f"{name} is not JSON")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UnreadableAnswerError("answer_duplicate_key", "a field is there twice")
    return fields


def _action(value: Any) -> Action:
    if not isinstance(value, str) or value not in set(Action):
        raise _wrong('action "BUY", "SELL" or "HOLD"', value)
    return Action(value)


def _confidence(value: Any) -> float:
    if not _is_number(value, Decimal(0), Decimal(1)):
        raise _wrong(f"confidence, a number from 0 to 1 of at most {_MOST_DIGITS} digits", value)
    nearest = float(value)
    # Never above what was said, as people write it: 0.69999999999999999999 is not 0.7.
    return nearest if Decimal(repr(nearest)) <= value else math.nextafter(nearest, 0)


def _level(name: str, value: Any) -> Decimal | None:
    if value is None:
        return None
    low, high = _LEVELS
    if not _is_number(value, low, high):
        expected = f"{name}, a price from {low} to {high} of at most {_MOST_DIGITS} digits or null"
        raise _wrong(expected, value)
    return value


def _is_number(value: Any, low: Decimal, high: Decimal) -> TypeGuard[Decimal]:
    if not isinstance(value, Decimal) or not low <= value <= high:
        return False
    return len(value.as_tuple().digits) <= _MOST_DIGITS


def _reasons(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_REASONS:
        raise _wrong(f"reasons, a list of 1 to {_MOST_REASONS} sentences", value)
    return tuple(map(_reason, value))


def _reason(value: Any) -> str:
    # Reasons are shown to people: no control or bidi characters, which terminals would obey.
    text = " ".join(value.split()) if isinstance(value, str) else ""
    says_something = any(c.isalnum() and c not in _BLANK_LETTERS for c in text)
    if not says_something or len(text) > _LONGEST_REASON or not text.isprintable():
        most = f"at most {_LONGEST_REASON} printable characters"
        raise _wrong(f"a reason with a letter or digit, of {most}", value)
    return text


def _wrong(expected: str, found: Any) -> UnreadableAnswerError:
    excerpt = ascii(found) if not isinstance(found, Decimal) else str(found)
    return UnreadableAnswerError(
        "answer_wrong_shape", f"expected {expected}, found {excerpt[:120]}"
    )

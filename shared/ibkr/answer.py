"""One HTTP answer of the Client Portal as JSON, or as the error that it means."""

import json
from decimal import Decimal
from typing import Any

from shared.ibkr.errors import (
    AccountsFirstError,
    BadAnswerError,
    BrokerError,
    NoBridgeError,
    NotFoundError,
    NotLoggedInError,
    RefusedError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)
from shared.ibkr.wire import decimal

_OK = range(200, 300)
_REDIRECT = range(300, 400)
_UNAUTHORIZED, _NOT_FOUND, _LOCKED, _TOO_MANY, _SERVER = 401, 404, 423, 429, 500
_GATEWAY_TIMEOUT = 504
_LONGEST_EXCERPT = 200
# The broker answers these with 200, 400 or 500 as it likes: the text is what counts.
_BY_TEXT: tuple[tuple[str, type[BrokerError]], ...] = (
    ("no bridge", NoBridgeError),
    ("query /accounts", AccountsFirstError),
    ("no session", NotLoggedInError),
    ("failed to process request", NotLoggedInError),
)


def read(status: int, content_type: str, body: bytes, retry_after: str | None = None) -> Any:
    """Return the JSON of an answer, its fractions as Decimal. Raises BrokerError by kind."""
    text = body.decode("utf-8", "replace").strip()
    if status in _REDIRECT or (status < _SERVER and _is_page(content_type, text)):
        msg = "the broker showed its login page: log in on the Client Portal in a browser"
        raise NotLoggedInError(msg)
    value = _json(text)
    complaint = _complaint(value)
    if status in _OK and complaint is None:
        if value is None:
            msg = f"expected JSON, found {content_type or 'no content type'}: {_excerpt(text)}"
            raise BadAnswerError(msg)
        return value
    who = "no answer in time" if status == _GATEWAY_TIMEOUT else f"the broker answered {status}"
    said = f"{who}: {_excerpt(complaint or text) or 'an empty body'}"
    raise _error(status, (complaint or text).lower(), said, retry_after)


def _error(status: int, complaint: str, said: str, retry_after: str | None) -> BrokerError:
    if status == _TOO_MANY:
        seconds = decimal(retry_after)
        return TooManyRequestsError(said, None if seconds is None else float(seconds))
    for text, kind in _BY_TEXT:
        if text in complaint:
            return kind(said)
    if status == _UNAUTHORIZED:
        return NotLoggedInError(said)
    if status == _GATEWAY_TIMEOUT:
        return TimedOutError(said)
    if status >= _SERVER or status == _LOCKED:
        return UnavailableError(said)
    return NotFoundError(said) if status == _NOT_FOUND else RefusedError(said)


def _is_page(content_type: str, text: str) -> bool:
    return "html" in content_type.lower() or text.startswith("<")


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _complaint(value: Any) -> str | None:
    """Return the text of ``{"error"}`` or of problem+json, where an answer is one."""
    if not isinstance(value, dict):
        return None
    if "error" in value:
        return str(value["error"])
    if "title" in value and "status" in value:
        return f"{value['title']}: {value.get('detail')}"
    return None


def _excerpt(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_EXCERPT]

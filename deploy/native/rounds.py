"""What ``doctor`` looks at in a running stack: does each part answer, and is the time right."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from deploy.native.checkup import Finding
from deploy.native.parts import PARTS, Replica
from deploy.native.state import PartState, StackState
from deploy.native.wiring import Wiring
from shared.market_time import read_record, wall_now

_PATIENCE_S = 20.0
_LARGEST_SKEW_S = 5.0


def examine_stack(state: StackState, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding per part, then whether the model answers and what the clocks say."""
    for part in state.parts:
        if not part.task:
            yield _part(part, Replica(state.wiring, env, part.replica))
    if any(part.name == "llm" for part in state.parts) or env.get("OPENBELL_LLM__BASE_URL"):
        yield _model(state.wiring, env)
    yield _market_time(state.wiring)
    yield _clock_skew(state.wiring, env)


def _part(part: PartState, replica: Replica) -> Finding:
    check = PARTS[part.name].health
    answers = part.state == "ready" and check is not None and asyncio.run(check(replica)())
    ok = answers or (part.state == "starting" and not PARTS[part.name].waited)
    where = f"port {part.port}" if part.port else "local socket"
    detail = f"{part.state}, {where}, {part.restarts} restarts"
    return Finding(part.label, ok, detail, f"openbell logs {part.label}")


def _model(wiring: Wiring, env: Mapping[str, str]) -> Finding:
    question = {
        "model": wiring.llm_model or "",
        "messages": [{"role": "user", "content": "Say yes."}],
        "max_tokens": 4,
    }
    key = env.get("OPENBELL_LLM__API_KEY")
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {key}"} if key else {}
    )
    url = f"{wiring.llm_url.rstrip('/')}/chat/completions"
    advice = "check OPENBELL_LLM__BASE_URL, MODEL and API_KEY, or openbell logs llm"
    try:
        request = Request(url, json.dumps(question).encode(), headers)  # noqa: S310  # the user's
        with urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310  # own setting
            tokens = json.load(answer)["usage"]["completion_tokens"]
    except (OSError, ValueError, KeyError) as e:
        return Finding("model answers", ok=False, detail=f"{url}: {e}", advice=advice)
    return Finding("model answers", tokens > 0, f"{wiring.llm_model}, {tokens} tokens", advice)


def _market_time(wiring: Wiring) -> Finding:
    if not wiring.simulated:
        return Finding("market time", ok=True, detail="real time")
    record = read_record(wiring.files.market_time)
    now = record.at(wall_now()).isoformat(timespec="seconds")
    runs = record.anchor is not None
    detail = f"simulated, {now}, {'speed ' + str(record.speed) if runs else 'standing still'}"
    return Finding("market time", runs, detail, "it runs once all parts are ready")


def _clock_skew(wiring: Wiring, env: Mapping[str, str]) -> Finding:
    """Compare with the clock of whichever server the stack uses on another machine."""
    outside = env.get("OPENBELL_LLM__BASE_URL") or (None if wiring.simulated else wiring.broker_url)
    if not outside:
        return Finding("clock", ok=True, detail="all parts share this machine's clock")
    theirs = _date_of(outside)
    if theirs is None:
        return Finding("clock", ok=True, detail=f"{outside} does not tell its time")
    skew = abs((wall_now() - theirs).total_seconds())
    detail = f"{skew:.0f} s off {outside}"
    return Finding("clock", skew <= _LARGEST_SKEW_S, detail, "set the clock, for example by NTP")


def _date_of(url: str) -> datetime | None:
    try:
        with urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310  # the user's own setting
            date = answer.headers.get("Date")
    except HTTPError as e:
        date = e.headers.get("Date")
    except (URLError, OSError):
        return None
    return parsedate_to_datetime(date).astimezone(UTC) if date else None

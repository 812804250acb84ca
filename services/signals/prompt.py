"""What a model is asked: a versioned template filled from the evidence, and the body sent."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import Environment, StrictUndefined, Template

from services.signals.answer import SCHEMA
from services.signals.checks import MIN_REWARD_RISK
from services.signals.rules import STOP_ATR, TARGET_ATR
from shared.events.evidence import Evidence
from shared.events.run import Strategy

SHOWN_BARS: Final = 10
SEED: Final = 1
_TEMPLATES = Path(__file__).parent / "prompts"
_UNKNOWN = "unknown"


class UnknownPromptError(Exception):
    """No template of that name."""


@dataclass(frozen=True)
class Prompt:
    """Messages, each ``{"role", "content"}``; the SHA-256 is of the template's file."""

    version: str
    template_hash: str
    messages: tuple[Mapping[str, str], ...]


def render(evidence: Evidence, strategy: Strategy) -> Prompt:
    """Return the prompt of a strategy on the evidence. Raises UnknownPromptError."""
    template = _template(strategy.prompt)
    facts = {
        "contract": evidence.contract,
        "quote": evidence.quote,
        "indicators": evidence.indicators,
        "bars": evidence.bars[-SHOWN_BARS:],
        "min_reward_risk": MIN_REWARD_RISK,
        "stop_atr": STOP_ATR,
        "target_atr": TARGET_ATR,
    }
    messages = tuple({"role": r, "content": t.render(facts)} for r, t in template.roles.items())
    return Prompt(template.version, template.hash, messages)


def request_body(prompt: Prompt, *, model: str, max_tokens: int) -> str:
    """Return the JSON body of a chat completion, exactly as it is sent and recorded."""
    body = {
        "model": model,
        "messages": list(prompt.messages),
        "temperature": 0,
        "seed": SEED,
        "max_tokens": max_tokens,
        # Without it small models repeat themselves up to the token limit.
        "frequency_penalty": 0.5,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "proposal", "strict": True, "schema": SCHEMA},
        },
    }
    return json.dumps(body, ensure_ascii=False)


@dataclass(frozen=True)
class _Template:
    version: str
    hash: str
    roles: Mapping[str, Template]


@cache
def _template(name: str | None) -> _Template:
    known = {path.stem: path for path in sorted(_TEMPLATES.glob("*.yaml"))}
    if name is None or name not in known:
        msg = f"expected one of the prompts {', '.join(known)}, found {name!r}: see the strategy"
        raise UnknownPromptError(msg)
    source = known[name].read_bytes()
    fields: dict[str, str] = yaml.safe_load(source)
    jinja = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701  # text, no HTML
    jinja.filters.update(number=_number, line=_line)
    roles = {role: jinja.from_string(fields[role]) for role in ("system", "user")}
    return _Template(fields["version"], hashlib.sha256(source).hexdigest(), roles)


def _number(value: Decimal | None) -> str:
    """Two decimals, four below one: enough to judge, and few tokens."""
    if value is None:
        return _UNKNOWN
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"


def _line(value: Any) -> str:
    """Keep what others named from adding lines of its own to the prompt."""
    return " ".join(str(value).split())

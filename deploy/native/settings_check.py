"""Settings judged before anything starts: all that is wrong, at once, in plain words."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError

from deploy.native.errors import RefusedError
from shared.settings import PREFIX, Settings, SettingsFileError

# Each service's own class; the others go by the common one.
_CLASSES = {
    "api": "services.api.settings:Settings",
    "gateway": "services.gateway.settings:GatewaySettings",
    "marketdata": "services.marketdata.settings:MarketDataSettings",
    "signals": "services.signals.settings:SignalsSettings",
    "tracker": "services.tracker.settings:TrackerSettings",
}
# What the stack itself reads. OPENBELL_TEST_SEED is the tests'.
_STACK = {
    "API__PORT",
    "API__URL",
    "KAFKA__PORT",
    "LIVE",
    "MLFLOW__PORT",
    "MARKET_TIME__START",
    "MARKET_TIME__SPEED",
    "SIMULATOR__BARS",
    "SIMULATOR__SEED",
    "TEST_SEED",
}
_PLACEHOLDER = re.compile(
    r"<.*>|change[-_ ]?me|your[-_ ].*|.*[-_ ]goes[-_ ]here|x{3,}|todo|fixme|replace[-_ ].*",
    re.IGNORECASE,
)
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|DATABASE__URL")


def refuse_bad_names(env: Mapping[str, str]) -> None:
    """Refuse names that nothing reads, and values that were never filled in.

    Raises RefusedError with every one of them: a misspelt limit must not pass for a set one.
    """
    ours = {name: value for name, value in env.items() if name.upper().startswith(PREFIX)}
    problems = [*_unknown(ours), *_placeholders(ours)]
    if problems:
        raise RefusedError("settings: " + "; ".join(problems))


def refuse_bad_values(environments: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse values that a service would not start with. ``environments``: by service.

    Raises RefusedError with all of them.
    """
    found: dict[str, None] = {}
    for service, env in environments.items():
        found |= dict.fromkeys(_complaints(_settings_class(service), env))
    if found:
        raise RefusedError("settings: " + "; ".join(found))


def known_names() -> set[str]:
    """Return every setting that something reads."""
    names = {PREFIX + name for name in _STACK}
    for service in (*_CLASSES, ""):
        names |= set(_names(_settings_class(service), PREFIX))
    return names | {f"{name}_FILE" for name in names}


def _unknown(env: Mapping[str, str]) -> Iterator[str]:
    known = known_names()
    for name in sorted(env):
        if name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            hint = f", did you mean {near[0]}?" if near else ", unset it"
            yield f"{name} is no setting of openbell{hint}"


def _placeholders(env: Mapping[str, str]) -> Iterator[str]:
    for name, value in sorted(env.items()):
        if _PLACEHOLDER.fullmatch(value.strip()):
            yield f"{name} holds a placeholder, fill it in or unset it"


def _complaints(model: type[Settings], env: Mapping[str, str]) -> Iterator[str]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        model()
    except SettingsFileError as e:
        yield str(e)
    except ValidationError as e:
        errors = e.errors(include_url=False, include_context=False)
        yield from (_in_words(error) for error in errors)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _in_words(error: Any) -> str:
    name = PREFIX + "__".join(str(part).upper() for part in error["loc"])
    said = str(error["msg"]).removeprefix("Value error, ")
    if isinstance(error["input"], str) and not _SECRET.search(name):
        said += f", found {error['input']!r}"
    return f"{name}: {said}" if error["loc"] else said


def _settings_class(service: str) -> type[Settings]:
    place, _, name = _CLASSES.get(service, "shared.settings:Settings").partition(":")
    found: type[Settings] = getattr(import_module(place), name)
    return found


def _names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        nested = [t for t in _types(field.annotation) if _is_model(t)]
        if nested:
            yield from _names(nested[0], f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper()


def _types(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__args__", None) or (annotation,)


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)

"""Settings that every service reads from ``OPENBELL_*``; each service adds its own sections."""

from pathlib import Path

from pydantic import BaseModel, SecretStr
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "OPENBELL_"


class KafkaSettings(BaseModel):
    """Where Kafka listens: ``host:port[,host:port...]``."""

    bootstrap_servers: str = "127.0.0.1:9092"


class DatabaseSettings(BaseModel):
    """PostgreSQL as a libpq URL; ``ca_file`` replaces the system's authorities for TLS."""

    url: SecretStr = SecretStr("postgresql://postgres@127.0.0.1:5432/openbell")
    ca_file: Path | None = None


class MarketTimeSettings(BaseModel):
    """``record`` is the stack's simulated clock (see ``shared.market_time``); absent: real time."""

    record: Path | None = None


# Settings whose own name ends like that of a file with a secret in it.
_ENDS_IN_FILE = {"openbell_limits_file", "openbell_database__ca_file", "openbell_ibkr__ca_file"}


def _content(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as e:
        msg = f"{name.upper()}: expected a readable file with the value, found {path}: {e}"
        raise SettingsFileError(msg) from e


class SettingsFileError(ValueError):
    """A file that should hold a secret cannot be read."""


class _FileSecrets(EnvSettingsSource):
    """Read ``OPENBELL_X_FILE`` as the value of ``OPENBELL_X``, as containers hand over secrets."""

    def _load_env_vars(self) -> dict[str, str | None]:
        found = dict(super()._load_env_vars())
        suffix = "_file"
        for name, path in list(found.items()):
            plain = name.removesuffix(suffix)
            wanted = name.startswith(PREFIX.lower()) and name.endswith(suffix)
            if wanted and path and plain not in found and name not in _ENDS_IN_FILE:
                found[plain] = _content(name, Path(path))
        return found


class Settings(BaseSettings):
    """What is common. A service subclasses this and nothing else reads the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        # An error that shows what was found would show secrets.
        hide_input_in_errors=True,
    )

    home: Path = Path(".openbell")
    kafka: KafkaSettings = KafkaSettings()
    database: DatabaseSettings = DatabaseSettings()
    market_time: MarketTimeSettings = MarketTimeSettings()
    ordinal: str = "0"
    log_level: str = "INFO"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **_others: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, _FileSecrets(settings_cls))

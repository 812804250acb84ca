"""Settings of the api."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr

from shared.settings import Settings as CommonSettings


class ApiSettings(BaseModel):
    """``token`` is the bearer token of REST, in plain; the database keeps only its hash."""

    token: SecretStr | None = None
    max_symbols: int = Field(default=100, ge=1)
    max_body_bytes: int = Field(default=262_144, ge=1)


class Settings(CommonSettings):
    """What the api reads from the environment."""

    api: ApiSettings = ApiSettings()
    strategies_dir: Path = Path("strategies")
    limits_file: Path = Path("limits.yaml")

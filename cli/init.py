"""``init``: random secrets for the containers, in the checkout's ``.env``."""

import secrets
from pathlib import Path

import typer
from dotenv import dotenv_values

from deploy.native.files import write_atomically
from deploy.native.home import CHECKOUT
from deploy.native.kafka import new_cluster_id

app = typer.Typer()

# As docker-compose.yml asks for them; none has a default anywhere.
_SECRETS = ("POSTGRES_PASSWORD", "API_TOKEN", "MARKETDATA_SECRET", "EXECUTION_SECRET")
_BYTES = 32


@app.command()
def init() -> None:
    """Write what docker-compose.yml needs into .env; what is there already stays as it is."""
    added = complete(CHECKOUT / ".env")
    kept = ", nothing was changed" if not added else f": {', '.join(added)}"
    typer.echo(f"{CHECKOUT / '.env'} is complete{kept}")


def complete(path: Path) -> list[str]:
    """Add the names that a file lacks, each with a random value; return them."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    known = dotenv_values(path) if before else {}
    made = {name: secrets.token_urlsafe(_BYTES) for name in _SECRETS}
    made["KAFKA_CLUSTER_ID"] = new_cluster_id()
    added = {name: value for name, value in made.items() if not known.get(name)}
    if added:
        end = "" if not before or before.endswith("\n") else "\n"
        lines = "".join(f"{name}={value}\n" for name, value in added.items())
        write_atomically(path, before + end + lines, mode=0o600)
    return list(added)

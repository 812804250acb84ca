"""The first tables: what was recorded, what waits, runs, ledger, market data, the dry-run book."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)
_NOW = sa.func.now()
_SERVICES = ("api", "clock", "gateway", "marketdata", "signals", "execution")


def upgrade() -> None:
    """Make all schemas and tables."""
    for schema in (*_SERVICES, "ledger"):
        op.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    for schema in _SERVICES:
        _recorded(schema)
    for schema in ("clock", "gateway"):
        _held(schema)
    _runs()
    _ledger()
    _market_data()
    _book()


def _recorded(schema: str) -> None:
    op.create_table(
        "recorded",
        sa.Column("input_id", sa.Uuid, primary_key=True),
        sa.Column("slot", sa.String(32), primary_key=True),
        sa.Column("messages", sa.JSON, nullable=False),
        sa.Column("pending", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("recorded_at", _TIME, nullable=False, server_default=_NOW),
        schema=schema,
    )
    pending = sa.text("pending")
    op.create_index(
        "ix_recorded_pending",
        "recorded",
        ["recorded_at"],
        schema=schema,
        postgresql_where=pending,
    )


def _held(schema: str) -> None:
    op.create_table(
        "held",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("traceparent", sa.String(64)),
        sa.Column("expires_at", _TIME),
        sa.Column("held_at", _TIME, nullable=False, server_default=_NOW),
        schema=schema,
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("accepted", sa.Text, nullable=False),
        sa.Column("strategy_id", sa.Integer, nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False, server_default="running"),
        sa.Column("decision_hash", sa.String(64)),
        sa.Column("accepted_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        schema="api",
    )
    op.create_index("ix_runs_accepted_at", "runs", ["accepted_at"], schema="api")
    op.create_table(
        "run_symbols",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(16), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("code", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("decision_hash", sa.String(64)),
        sa.ForeignKeyConstraint(["run_id"], ["api.runs.run_id"]),
        schema="api",
    )
    op.create_table(
        "tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("created_at", _TIME, nullable=False, server_default=_NOW),
        schema="api",
    )


def _ledger() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("run_id", sa.String(64)),
        sa.Column("symbol", sa.String(16)),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("timestamp", _TIME, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        schema="ledger",
    )
    op.create_index("ix_events_run_id", "events", ["run_id", "id"], schema="ledger")


def _market_data() -> None:
    op.create_table(
        "contracts",
        sa.Column("symbol", sa.String(16), primary_key=True),
        sa.Column("contract", sa.JSON, nullable=False),
        sa.Column("verified_at", _TIME, nullable=False),
        schema="marketdata",
    )
    op.create_table(
        "bars",
        sa.Column("conid", sa.BigInteger, primary_key=True),
        sa.Column("bar_size", sa.String(8), primary_key=True),
        sa.Column("through", sa.Date, primary_key=True),
        sa.Column("bars", sa.JSON, nullable=False),
        sa.Column("captured_at", _TIME, nullable=False, server_default=_NOW),
        schema="marketdata",
    )


def _book() -> None:
    money = sa.Numeric(20, 6)
    op.create_table(
        "accounts",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("cash", money, nullable=False),
        schema="execution",
    )
    op.create_table(
        "positions",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("symbol", sa.String(16), primary_key=True),
        sa.Column("quantity", money, nullable=False),
        sa.Column("average_price", money, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["execution.accounts.account"]),
        schema="execution",
    )
    op.create_table(
        "intents",
        sa.Column("intent_id", sa.Uuid, primary_key=True),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(16), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("created_at", _TIME, nullable=False, server_default=_NOW),
        sa.UniqueConstraint("run_id", "symbol"),
        schema="execution",
    )


def downgrade() -> None:
    """Refuse: the ledger is never thrown away by a command."""
    msg = "openbell's history goes forward only; restore a backup instead"
    raise RuntimeError(msg)

"""The tracker: events until MLflow has them, how far each run is, and its ids there."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)
_NOW = sa.func.now()


def upgrade() -> None:
    """Make the tracker's schema and tables."""
    op.execute(sa.text("CREATE SCHEMA IF NOT EXISTS tracker"))
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("news", sa.Integer, nullable=False),
        sa.Column("written", sa.Integer, nullable=False, server_default="0"),
        sa.Column("finished_at", _TIME),
        sa.Column("news_at", _TIME, nullable=False, server_default=_NOW),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("retry_at", _TIME, nullable=False, server_default=_NOW),
        schema="tracker",
    )
    due = sa.text("finished_at IS NOT NULL AND news > written")
    op.create_index("ix_runs_due", "runs", ["finished_at"], schema="tracker", postgresql_where=due)
    run = sa.ForeignKey("tracker.runs.run_id", ondelete="CASCADE")
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("run_id", sa.String(64), run, nullable=False, index=True),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("timestamp", _TIME, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        schema="tracker",
    )
    op.create_table(
        "mlflow_runs",
        sa.Column(
            "run_id",
            sa.String(64),
            sa.ForeignKey("tracker.runs.run_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("symbol", sa.String(16), primary_key=True),
        sa.Column("mlflow_run_id", sa.String(64), nullable=False),
        schema="tracker",
    )


def downgrade() -> None:
    """Refuse, as all of this history does."""
    msg = "openbell's history goes forward only; restore a backup instead"
    raise RuntimeError(msg)

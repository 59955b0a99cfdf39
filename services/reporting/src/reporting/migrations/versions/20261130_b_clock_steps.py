"""Steps of the clock that dates the facts: what messages show, and what workers measured."""

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def _time(name: str, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, comment=comment)


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("tables", _add_tables)
    where = "where clock_stepped_ms <> 0"
    steps.create_index("ix_worker_life_clock_stepped", "worker_life", f"(worker_id) {where}")


def _add_tables() -> None:
    op.create_table(
        "bus_clock",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            nullable=False,
            comment="The message that was stored latest, by the server's clock",
        ),
        _time("stored_at"),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_bus_clock")),
    )
    op.create_table(
        "clock_step",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("last_before", sa.BigInteger(), nullable=False, comment="Last message before the step"),
        _time("stored_at", "When that one was stored"),
        sa.Column("first_after", sa.BigInteger(), nullable=False, comment="First message seen after it"),
        _time("started_at", "From here on the time was shown twice"),
        _time("ended_at", "Until here"),
        _time("noticed_at"),
        sa.Column(
            "refused",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Facts of that time that count nothing",
        ),
        sa.CheckConstraint("ended_at > started_at", name=op.f("ck_clock_step_ordered")),
        sa.PrimaryKeyConstraint("stream", "last_before", name=op.f("pk_clock_step")),
        comment="The server's clock was set back: a message was stored before its predecessor",
    )
    comment = "By how much the server's clock was set since the worker started"
    op.add_column("worker_life", sa.Column("clock_stepped_ms", sa.BigInteger(), comment=comment))


def downgrade() -> None:
    op.drop_index("ix_worker_life_clock_stepped", table_name="worker_life")
    op.drop_column("worker_life", "clock_stepped_ms")
    op.drop_table("clock_step")
    op.drop_table("bus_clock")

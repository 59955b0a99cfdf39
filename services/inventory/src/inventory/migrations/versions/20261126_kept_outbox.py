"""Outbox rows stay a while after NATS has stored them, with the position of the stream beside them."""

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("tables", _add_tables)
    steps.create_index("ix_outbox_waiting", "outbox", "(id) where published_at is null")


def _add_tables() -> None:
    op.add_column("outbox", sa.Column("published_at", sa.DateTime(timezone=True)))
    op.add_column("outbox", sa.Column("repetition", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "published_stream",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("stream_created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_published_stream")),
    )


def downgrade() -> None:
    op.drop_table("published_stream")
    op.execute("delete from outbox where published_at is not null")
    op.drop_index("ix_outbox_waiting", table_name="outbox")
    op.drop_column("outbox", "repetition")
    op.drop_column("outbox", "published_at")

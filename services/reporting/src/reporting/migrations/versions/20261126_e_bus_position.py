"""How far each stream is in these tables, and what its publishers lost."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bus_position",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column(
            "floor", sa.BigInteger(), nullable=True, comment="All up to here is in the tables; null: not known yet"
        ),
        sa.Column("stream_created_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_bus_position")),
    )
    # Tables that have handled events go on where their consumers are; empty ones begin at the beginning.
    op.execute(
        "insert into bus_position (stream) select stream from unnest(array['INVENTORY', 'OBSERVATIONS']) as stream "
        "where exists (select 1 from inbox)"
    )
    op.create_table(
        "publisher",
        sa.Column("id", sa.Text(), nullable=False, comment="A process that publishes facts"),
        sa.Column("newest", sa.BigInteger(), nullable=False, comment="Highest sequence of its facts"),
        sa.Column("newest_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publisher")),
    )
    op.create_table(
        "publisher_gap",
        sa.Column("publisher_id", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False, comment="First missing sequence"),
        sa.Column("last", sa.BigInteger(), nullable=False, comment="Last missing sequence"),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False, comment="Time of the fact before"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="Time of the fact after"),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True, comment="When it was given up"),
        sa.CheckConstraint('"last" >= "first"', name=op.f("ck_publisher_gap_ordered")),
        sa.PrimaryKeyConstraint("publisher_id", "first", name=op.f("pk_publisher_gap")),
    )


def downgrade() -> None:
    op.drop_table("publisher_gap")
    op.drop_table("publisher")
    op.drop_table("bus_position")

"""Which facts were dated after they were stored, and taken at the time at which they were."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "corrected_fact",
        sa.Column("event_key", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("dated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_key", name=op.f("pk_corrected_fact")),
        comment="Facts that were dated after they were stored: by themselves, and as they were taken",
    )
    op.create_index("ix_corrected_fact_taken_at", "corrected_fact", ["taken_at"], postgresql_using="brin")


def downgrade() -> None:
    op.drop_table("corrected_fact")

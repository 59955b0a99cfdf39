"""Our own checks of the addresses that centres pull from."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "self_check",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", time, nullable=False),
        sa.Column("ended_at", time, nullable=False, comment="The last check that found the same"),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "began_at", name=op.f("pk_self_check")),
        comment="What we found at the addresses that centres pull from, from one check to the next",
    )


def downgrade() -> None:
    op.drop_table("self_check")

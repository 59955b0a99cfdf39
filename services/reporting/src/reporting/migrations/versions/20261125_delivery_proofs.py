"""The newest read-back of each delivery that matched."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_proof",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delay_s", sa.Double()),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_proof")),
        comment="The newest read-back of each delivery that matched",
        # The row is rewritten by every match: room on the page keeps the update away from the index.
        postgresql_with={"fillfactor": "50"},
    )


def downgrade() -> None:
    op.drop_table("delivery_proof")

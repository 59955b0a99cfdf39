"""Faults of whole sites."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_fault",
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("camera_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("facility_id", "began_at", name=op.f("pk_site_fault")),
        comment="All cameras of a facility failed alike",
    )
    op.create_index("ix_site_fault_began_at", "site_fault", ["began_at"])


def downgrade() -> None:
    op.drop_table("site_fault")

"""Who opens the session with a centre, and who is responsible when one that pulls does not ask."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "destination", sa.Column("mode", sa.Text(), comment="push or serve; null: an earlier release, so push")
    )
    op.add_column(
        "destination",
        sa.Column("responsible", sa.Text(), comment="Of one that pulls: who is named when it does not ask"),
    )


def downgrade() -> None:
    for name in ("mode", "responsible"):
        op.drop_column("destination", name)

"""What late evidence changed in the deliveries of a camera's day, also where it changed nothing of the camera."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "late_evidence",
        sa.Column(
            "deliveries",
            JSONB(),
            nullable=False,
            server_default="{}",
            comment="The same of each delivery that changed, by its id; and by cause of what was not connected",
        ),
    )


def downgrade() -> None:
    op.drop_column("late_evidence", "deliveries")

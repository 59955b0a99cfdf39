"""Why a picture showed nothing new: it stood still, or a recording was played in a loop.

The release before leaves the column out, which is null: frozen, as it knows alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "camera_media",
        sa.Column("still_cause", sa.Text(), nullable=True, comment="Why it showed nothing new; null: frozen"),
    )


def downgrade() -> None:
    op.drop_column("camera_media", "still_cause")

"""Calendar feeds whose address may carry their password, for programs that send no login."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "calendar_feed",
        sa.Column(
            "by_address",
            sa.Boolean(),
            nullable=False,
            server_default="false",
            comment="Whether an address may carry the password",
        ),
    )


def downgrade() -> None:
    op.drop_column("calendar_feed", "by_address")

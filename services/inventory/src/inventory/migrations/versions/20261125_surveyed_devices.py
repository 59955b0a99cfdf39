"""What the survey found each camera to be."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cameras", sa.Column("expected", postgresql.JSONB(none_as_null=True)))


def downgrade() -> None:
    op.drop_column("cameras", "expected")

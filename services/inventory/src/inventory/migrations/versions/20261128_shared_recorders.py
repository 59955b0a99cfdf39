"""Why two recorders are one device; those on record twice stay without a reason until somebody changes them."""

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recorders", sa.Column("shared_device_reason", sa.Text()))
    add_history(op, "recorders")


def downgrade() -> None:
    op.drop_column("recorders", "shared_device_reason")
    op.drop_column("recorders_history", "shared_device_reason")
    add_history(op, "recorders")

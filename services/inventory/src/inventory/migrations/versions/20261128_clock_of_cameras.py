"""A camera says where its clock is set from, as a recorder does."""

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cameras", sa.Column("time_source", sa.Text()))
    add_history(op, "cameras")


def downgrade() -> None:
    op.drop_column("cameras", "time_source")
    op.drop_column("cameras_history", "time_source")
    add_history(op, "cameras")

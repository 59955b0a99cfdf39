"""Runs and changes are found by the blocks that hold their ends: a report of a day reads no year of its cameras."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("camera_run", "delivery_change"):
        options = {"autosummarize": "on"}
        op.create_index(f"ix_{table}_ends_at", table, ["ends_at"], postgresql_using="brin", postgresql_with=options)
    op.drop_index("ix_camera_run_down", "camera_run")


def downgrade() -> None:
    op.create_index("ix_camera_run_down", "camera_run", ["ends_at"], postgresql_where=sa.text("state = 'down'"))
    for table in ("camera_run", "delivery_change"):
        op.drop_index(f"ix_{table}_ends_at", table)

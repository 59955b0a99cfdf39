"""Runs and changes are found by the blocks that hold their ends: a report of a day reads no year of its cameras."""

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op, revision)
    for table in ("camera_run", "delivery_change"):
        steps.create_index(f"ix_{table}_ends_at", table, "using brin (ends_at) with (autosummarize = on)")
    steps.drop_index("ix_camera_run_down")


def downgrade() -> None:
    op.create_index("ix_camera_run_down", "camera_run", ["ends_at"], postgresql_where=sa.text("state = 'down'"))
    for table in ("camera_run", "delivery_change"):
        op.drop_index(f"ix_{table}_ends_at", table)

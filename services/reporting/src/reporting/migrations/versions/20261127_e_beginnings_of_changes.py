"""Runs and changes are found by the blocks that hold their beginnings, too: a day of last year reads no later one."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_BEGINNINGS = {"camera_run": "started_at", "delivery_change": "coalesce(begins_at, observed_at)"}


def upgrade() -> None:
    for table, beginning in _BEGINNINGS.items():
        options = {"autosummarize": "on"}
        column = sa.text(beginning)
        op.create_index(f"ix_{table}_begins_at", table, [column], postgresql_using="brin", postgresql_with=options)


def downgrade() -> None:
    for table in _BEGINNINGS:
        op.drop_index(f"ix_{table}_begins_at", table)

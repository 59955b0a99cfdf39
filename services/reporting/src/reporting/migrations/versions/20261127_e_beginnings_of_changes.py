"""Runs and changes are found by the blocks that hold their beginnings, too: a day of last year reads no later one."""

from alembic import op

from vonggac.database.steps import Steps

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_BEGINNINGS = {"camera_run": "started_at", "delivery_change": "coalesce(begins_at, observed_at)"}


def upgrade() -> None:
    steps = Steps(op, revision)
    for table, beginning in _BEGINNINGS.items():
        steps.create_index(f"ix_{table}_begins_at", table, f"using brin (({beginning})) with (autosummarize = on)")


def downgrade() -> None:
    for table in _BEGINNINGS:
        op.drop_index(f"ix_{table}_begins_at", table)

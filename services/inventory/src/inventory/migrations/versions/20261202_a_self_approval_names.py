"""Who approved alone, by name and post as they were then."""

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_TABLE = "self_approvals"
_COLUMNS = ("approver_name", "approver_post")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column(_TABLE, sa.Column(name, sa.Text()))
    add_history(op, _TABLE)


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column(_TABLE, name)
        op.drop_column(f"{_TABLE}_history", name)
    add_history(op, _TABLE)

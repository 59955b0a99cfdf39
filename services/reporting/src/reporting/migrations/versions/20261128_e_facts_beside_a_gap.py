"""Gaps keep the times of the facts beside them as they are: what comes late may move either end."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_COLUMNS = {
    "before_at": "Time of the fact before, also where it is the later one",
    "after_at": "Time of the fact after, also where it is the earlier one",
    "after_since": "Since when the fact after had seen what it says",
}


def upgrade() -> None:
    for name, comment in _COLUMNS.items():
        op.add_column("publisher_gap", sa.Column(name, sa.DateTime(timezone=True), comment=comment))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("publisher_gap", name)

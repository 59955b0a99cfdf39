"""Of each publisher the oldest known fact is kept: one that comes late and is older reveals what is missing between."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_TIMES = {
    "oldest_at": "Time of that fact",
    "oldest_since": "Since when that fact had seen what it says",
}


def upgrade() -> None:
    comment = "Lowest sequence of its facts; null: it was not kept"
    op.add_column("publisher", sa.Column("oldest", sa.BigInteger(), comment=comment))
    for name, comment in _TIMES.items():
        op.add_column("publisher", sa.Column(name, sa.DateTime(timezone=True), comment=comment))


def downgrade() -> None:
    for name in ("oldest", *_TIMES):
        op.drop_column("publisher", name)

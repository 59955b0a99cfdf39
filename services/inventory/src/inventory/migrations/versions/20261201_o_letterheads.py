"""Who writes to whom about a directive: for the papers that carry it out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from inventory.migrations.history import add_history
from vonggac.database.steps import Steps

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TABLE = "directives"


def upgrade() -> None:
    Steps(op, revision).run("column", _add_column)


def _add_column() -> None:
    op.add_column(_TABLE, sa.Column("letterhead", JSONB()))
    add_history(op, _TABLE)


def downgrade() -> None:
    op.drop_column(_TABLE, "letterhead")
    op.drop_column(f"{_TABLE}_history", "letterhead")
    add_history(op, _TABLE)

"""The word of a facility on briefings and access, and who recorded it by its document."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history
from vonggac.database.steps import Steps

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BRIEFING: dict[str, Any] = {
    "briefing_document": sa.Text(),
    "briefing_signed_on": sa.Date(),
    "briefing_file": sa.Text(),
    "briefing_recorded_by": sa.Text(),
}
_ACCESS: dict[str, Any] = {
    "access_given_by": sa.Text(),
    "access_from": sa.TIMESTAMP(timezone=True),
    "access_to": sa.TIMESTAMP(timezone=True),
    "access_document": sa.Text(),
    "access_signed_on": sa.Date(),
    "access_file": sa.Text(),
    "access_recorded_by": sa.Text(),
}
_COLUMNS = {"surveys": _BRIEFING, "visits": _BRIEFING | _ACCESS}


def upgrade() -> None:
    Steps(op, revision).run("columns", _add_columns)


def _add_columns() -> None:
    for table, columns in _COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind))
        add_history(op, table)


def downgrade() -> None:
    for table, columns in _COLUMNS.items():
        for name in columns:
            op.drop_column(table, name)
            op.drop_column(f"{table}_history", name)
        add_history(op, table)

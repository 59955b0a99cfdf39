"""The day, number and file of the documents that steps stand on; days of their own for facilities that come later."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history
from vonggac.database.steps import Steps

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_PAPER: dict[str, Any] = {
    "signed_on": sa.Date(),
    "document_number": sa.Text(),
    "document_file": sa.Text(),
    "document_sha256": sa.Text(),
}
_ACCEPTANCE: dict[str, Any] = {
    "connected_on": sa.Date(),
    "acceptance_number": sa.Text(),
    "acceptance_file": sa.Text(),
    "acceptance_sha256": sa.Text(),
}
_COLUMNS: dict[str, dict[str, Any]] = {
    "surveys": _PAPER,
    "connection_plans": _PAPER | _ACCEPTANCE,
    "installation_proposals": _PAPER,
    "visits": _PAPER,
    "obligations": {"due_after_days": sa.Integer()},
}


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

"""The document that names a focal point, and who recorded it for the facility."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_TABLE = "focal_points"
_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "appointment_signed_on": sa.Date(),
    "appointment_file": sa.Text(),
    "recorded_by": sa.Text(),
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column(_TABLE, sa.Column(name, kind))
    add_history(op, _TABLE)


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column(_TABLE, name)
        op.drop_column(f"{_TABLE}_history", name)
    add_history(op, _TABLE)

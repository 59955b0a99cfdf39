"""What is declared of a camera's security (QCVN 135:2024/BTTTT)."""

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_COLUMNS = {
    "firmware_released_on": sa.Date,
    "default_password_changed": sa.Boolean,
    "cloud_access": sa.Boolean,
    "certificate": sa.Text,
    "certificate_valid_until": sa.Date,
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column("cameras", sa.Column(name, kind()))
    add_history(op, "cameras")


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("cameras", name)
        op.drop_column("cameras_history", name)
    add_history(op, "cameras")

"""Agencies have a parent, a territory and a successor."""

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS = {"parent_id": "agencies", "unit_id": "units", "successor_id": "agencies"}


def upgrade() -> None:
    for name, target in _COLUMNS.items():
        op.add_column("agencies", sa.Column(name, sa.Uuid()))
        op.create_foreign_key(op.f(f"fk_agencies_{name}_{target}"), "agencies", target, [name], ["id"])
        op.create_index(op.f(f"ix_agencies_{name}"), "agencies", [name])
    add_history(op, "agencies")


def downgrade() -> None:
    for name, target in reversed(_COLUMNS.items()):
        op.drop_index(op.f(f"ix_agencies_{name}"), "agencies")
        op.drop_constraint(op.f(f"fk_agencies_{name}_{target}"), "agencies")
        op.drop_column("agencies", name)
        op.drop_column("agencies_history", name)
    add_history(op, "agencies")

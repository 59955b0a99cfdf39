"""Agencies have a parent, a territory and a successor."""

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history
from vonggac.database.steps import Steps

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS = {"parent_id": "agencies", "unit_id": "units", "successor_id": "agencies"}


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("columns", _add_columns)
    for name, target in _COLUMNS.items():
        reference = f"foreign key ({name}) references {target} (id)"
        steps.add_constraint("agencies", f"fk_agencies_{name}_{target}", reference)
        steps.create_index(f"ix_agencies_{name}", "agencies", f"({name})")


def _add_columns() -> None:
    for name in _COLUMNS:
        op.add_column("agencies", sa.Column(name, sa.Uuid()))
    add_history(op, "agencies")


def downgrade() -> None:
    for name, target in reversed(_COLUMNS.items()):
        op.drop_index(op.f(f"ix_agencies_{name}"), "agencies")
        op.drop_constraint(op.f(f"fk_agencies_{name}_{target}"), "agencies")
        op.drop_column("agencies", name)
        op.drop_column("agencies_history", name)
    add_history(op, "agencies")

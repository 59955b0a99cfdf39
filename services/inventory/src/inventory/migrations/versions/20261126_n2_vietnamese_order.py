"""Lists by name are in Vietnamese order: a key beside each name, made by the service (decision 0093)."""

from functools import partial

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history
from inventory.migrations.order_keys import NAMED, PEOPLE, fill_keys
from vonggac.database.steps import Steps

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op, revision)
    for table in (*NAMED, *PEOPLE):
        steps.run(f"column of {table}", partial(_add_column, table))
        fill_keys(op, steps, table)


def _add_column(table: str) -> None:
    # The service of before writes no key: what it adds in the meantime stands first until somebody changes it.
    op.add_column(table, sa.Column("name_order", sa.Text(collation="C"), nullable=False, server_default=""))
    op.add_column(f"{table}_history", sa.Column("name_order", sa.Text(collation="C")))
    add_history(op, table)


def downgrade() -> None:
    for table in reversed((*NAMED, *PEOPLE)):
        op.drop_column(table, "name_order")
        op.drop_column(f"{table}_history", "name_order")
        add_history(op, table)

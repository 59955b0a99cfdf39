"""Centres that pull: their account, how they are served, and the password before the last rotation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from inventory.migrations.history import add_history
from vonggac.database.steps import Steps

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_TABLE = "destinations"
_COLUMNS = ("mode", "account", "serving", "previous_secret_until")


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("columns", _add_columns)
    steps.create_index("uq_destinations_account", _TABLE, "(account)", unique=True)
    steps.run("account", _add_key)


def _add_columns() -> None:
    op.add_column(_TABLE, sa.Column("mode", sa.String(32), nullable=False, server_default="push"))
    # What was on record before was pushed to.
    op.add_column(f"{_TABLE}_history", sa.Column("mode", sa.String(32), server_default="push"))
    op.alter_column(f"{_TABLE}_history", "mode", server_default=None)
    op.add_column(_TABLE, sa.Column("account", sa.Text()))
    op.add_column(_TABLE, sa.Column("serving", JSONB()))
    op.add_column(_TABLE, sa.Column("sealed_previous_secret", sa.Text()))
    op.add_column(_TABLE, sa.Column("previous_secret_until", sa.TIMESTAMP(timezone=True)))
    add_history(op, _TABLE)


def _add_key() -> None:
    op.execute(
        f"alter table {_TABLE} add constraint uq_destinations_account unique using index uq_destinations_account"
    )


def downgrade() -> None:
    for table in (_TABLE, f"{_TABLE}_history"):
        for name in _COLUMNS:
            op.drop_column(table, name)
    op.drop_column(_TABLE, "sealed_previous_secret")
    op.drop_column(f"{_TABLE}_history", "has_previous_secret")
    add_history(op, _TABLE)

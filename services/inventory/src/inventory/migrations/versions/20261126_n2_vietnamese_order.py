"""Lists by name are in Vietnamese order: a key beside each name, made by the service (decision 0093)."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.domain.text import order_key, person_order_key
from inventory.migrations.history import add_history

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NAMED = (
    "agencies", "teams", "units", "facilities", "destinations", "recorders", "cameras", "obligations",
    "information_requests",
)  # fmt: skip
_PEOPLE = ("focal_points", "team_members")
_AT_ONCE = 2000
_SET = (
    "update {table} t set name_order = k.key "
    "from unnest(cast(:names as text[]), cast(:keys as text[])) as k(name, key) where t.{name} = k.name"
)


def upgrade() -> None:
    for table in (*_NAMED, *_PEOPLE):
        # The service of before writes no key: what it adds in the meantime stands first until somebody changes it.
        op.add_column(table, sa.Column("name_order", sa.Text(collation="C"), nullable=False, server_default=""))
        op.add_column(f"{table}_history", sa.Column("name_order", sa.Text(collation="C")))
        _fill(table)
        add_history(op, table)


def _fill(table: str) -> None:
    """One UPDATE for each name that there is: the triggers would record every row as changed."""
    name, key = ("full_name", person_order_key) if table in _PEOPLE else ("name", order_key)
    connection = op.get_bind()
    op.execute(f"alter table {table} disable trigger user")
    for each in (table, f"{table}_history"):
        found: Any = connection.execute(sa.text(f"select distinct {name} from {each} where {name} is not null"))  # noqa: S608 # names of ours
        names = [row[0] for row in found]
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            pairs = {"names": some, "keys": [key(one) for one in some]}
            connection.execute(sa.text(_SET.format(table=each, name=name)), pairs)
    op.execute(f"alter table {table} enable trigger user")


def downgrade() -> None:
    for table in reversed((*_NAMED, *_PEOPLE)):
        op.drop_column(table, "name_order")
        op.drop_column(f"{table}_history", "name_order")
        add_history(op, table)

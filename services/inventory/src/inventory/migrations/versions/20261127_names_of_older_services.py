"""Names that an older service writes get their key of Vietnamese order; what a migration made is published once.

During a rolling upgrade the older service writes names without `name_order`: a trigger makes the key then (decision
0093). Revision 0009 made plan exceptions without a message: `republish_wanted` has the running service publish them and
the cameras that they are about.
"""

import sqlalchemy as sa
from alembic import op

from inventory.domain.text import order_key, person_order_key
from inventory.migrations.order_keys import ORDER_KEY, PERSON_ORDER_KEY

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NAMED = (
    "agencies", "teams", "units", "facilities", "destinations", "recorders", "cameras", "obligations",
    "information_requests",
)  # fmt: skip
_PEOPLE = ("focal_points", "team_members")
_SET_KEY = """
create function set_{function}() returns trigger language plpgsql as $$
begin
  new.name_order := {function}(new.{name});
  return new;
end $$
"""
_ON_INSERT = """
create trigger order_insert before insert on {table} for each row
when (new.name_order = '') execute function set_{function}()
"""
_ON_UPDATE = """
create trigger order_update before update on {table} for each row
when (new.{name} is distinct from old.{name} and new.name_order is not distinct from old.name_order)
execute function set_{function}()
"""
_READ = "select distinct {name}, name_order from {table} where {name} is not null"
_FILL = """
update {table} t set name_order = k.key from unnest(cast(:names as text[]), cast(:keys as text[])) as k(name, key)
where t.{name} = k.name
"""
_WANTED = """
insert into republish_wanted (noun) select noun from (values ('plan_exception'), ('camera')) as n(noun)
where exists (select from plan_exceptions where approved_by = 'migration 0009')
"""


def upgrade() -> None:
    op.execute(ORDER_KEY)
    op.execute(PERSON_ORDER_KEY)
    for function, name, tables in _KINDS:
        op.execute(_SET_KEY.format(function=function, name=name))
        for table in tables:
            parts = {"table": table, "function": function, "name": name}
            _fill(table, name)
            op.execute(_ON_INSERT.format(**parts))
            op.execute(_ON_UPDATE.format(**parts))
    op.create_table("republish_wanted", sa.Column("noun", sa.Text(), primary_key=True))
    op.execute(_WANTED)


def _fill(table: str, name: str) -> None:
    """The keys that are missing or of an earlier name, made in Python: SQL takes a hundred times as long."""
    connection, make = op.get_bind(), person_order_key if table in _PEOPLE else order_key
    # The triggers of the history would record the rows as changed.
    op.execute(f"alter table {table} disable trigger user")
    for each in (table, f"{table}_history"):
        found = connection.execute(sa.text(_READ.format(table=each, name=name)))
        wrong = {row[0]: key for row in found if row[1] != (key := make(row[0]))}
        if wrong:
            pairs = {"names": list(wrong), "keys": list(wrong.values())}
            connection.execute(sa.text(_FILL.format(table=each, name=name)), pairs)
    op.execute(f"alter table {table} enable trigger user")


def downgrade() -> None:
    op.drop_table("republish_wanted")
    for function, _, tables in reversed(_KINDS):
        for table in tables:
            op.execute(f"drop trigger order_insert on {table}")
            op.execute(f"drop trigger order_update on {table}")
        op.execute(f"drop function set_{function}()")
    op.execute("drop function person_order_key(text)")
    op.execute("drop function order_key(text)")


_KINDS = (("order_key", "name", _NAMED), ("person_order_key", "full_name", _PEOPLE))
"""The function that makes the key, the column that it is made of, and the tables."""

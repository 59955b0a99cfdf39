"""Names that an older service writes get their key of Vietnamese order; what a migration made is published once.

During a rolling upgrade the older service writes names without `name_order`: a trigger makes the key then (decision
0093). Revision 0009 made plan exceptions without a message: `republish_wanted` has the running service publish them and
the cameras that they are about.
"""

import sqlalchemy as sa
from alembic import op

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
_FILL = "update {table} set name_order = {function}({name}) where name_order is distinct from {function}({name})"
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
            # The triggers of the history would record every row as changed.
            op.execute(f"alter table {table} disable trigger user")
            op.execute(_FILL.format(**parts))
            op.execute(_FILL.format(**{**parts, "table": f"{table}_history"}))
            op.execute(f"alter table {table} enable trigger user")
            op.execute(_ON_INSERT.format(**parts))
            op.execute(_ON_UPDATE.format(**parts))
    op.create_table("republish_wanted", sa.Column("noun", sa.Text(), primary_key=True))
    op.execute(_WANTED)


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

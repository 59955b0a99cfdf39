"""Names that an older service writes get their key of Vietnamese order; what a migration made is published once.

During a rolling upgrade the older service writes names without `name_order`: a trigger makes the key then (decision
0093). Revision 0009 made plan exceptions without a message: `republish_wanted` has the running service publish them and
the cameras that they are about.
"""

from collections.abc import Mapping
from functools import partial

import sqlalchemy as sa
from alembic import op

from inventory.migrations.order_keys import KINDS, ORDER_KEY, PERSON_ORDER_KEY, fill_keys
from vonggac.database.steps import Steps

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

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
_WANTED = """
insert into republish_wanted (noun) select noun from (values ('plan_exception'), ('camera')) as n(noun)
where exists (select from plan_exceptions where approved_by = 'migration 0009')
"""


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("functions", _create_functions)
    for function, name, tables in KINDS:
        for table in tables:
            # The triggers first: what is written while the keys are made has its own.
            parts = {"table": table, "function": function, "name": name}
            steps.run(f"triggers of {table}", partial(_create_triggers, parts))
            fill_keys(op, steps, table)
    op.create_table("republish_wanted", sa.Column("noun", sa.Text(), primary_key=True))
    op.execute(_WANTED)


def _create_functions() -> None:
    op.execute(ORDER_KEY)
    op.execute(PERSON_ORDER_KEY)
    for function, name, _ in KINDS:
        op.execute(_SET_KEY.format(function=function, name=name))


def _create_triggers(parts: Mapping[str, str]) -> None:
    op.execute(_ON_INSERT.format_map(parts))
    op.execute(_ON_UPDATE.format_map(parts))


def downgrade() -> None:
    op.drop_table("republish_wanted")
    for function, _, tables in reversed(KINDS):
        for table in tables:
            op.execute(f"drop trigger order_insert on {table}")
            op.execute(f"drop trigger order_update on {table}")
        op.execute(f"drop function set_{function}()")
    op.execute("drop function person_order_key(text)")
    op.execute("drop function order_key(text)")

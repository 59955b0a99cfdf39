"""Names with Ð (U+00D0) or Ɖ (U+0189) in place of Đ stand where Đ does: their keys of order are made once more."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import unrecorded
from inventory.migrations.order_keys import KINDS, ORDER_KEY
from vonggac.database.steps import Steps

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_HAS_IT = "{name} ~ '[\u00d0\u00f0\u0189\u0256]'"
_SET = "update {table} set name_order = {function}({name}) where id = any(:ids) and {where}"


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("function", partial(op.execute, ORDER_KEY.replace("create function", "create or replace function")))
    for function, name, tables in KINDS:
        for table in tables:
            for each in (table, f"{table}_history"):
                where = _HAS_IT.format(name=name)
                parts = {"table": each, "function": function, "name": name, "where": where}
                steps.run_in_batches(f"keys of {each}", partial(_set_keys, parts), table=each, where=where)


def _set_keys(parts: Mapping[str, str], ids: Sequence[Any]) -> None:
    # Nothing that anybody wrote is changed: the history gets no new state.
    with unrecorded(op, parts["table"]):
        op.get_bind().execute(sa.text(_SET.format_map(parts)), {"ids": ids})


def downgrade() -> None:
    """Leave the keys: the service of before compares them, and makes none anew: each is a place in a list."""

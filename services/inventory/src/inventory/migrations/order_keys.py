"""The keys of Vietnamese order in SQL: the same as `order_key` and `person_order_key` of `inventory.domain.text`.

For rows that a service without the keys writes during a rolling upgrade (decision 0093); a test compares both.
`fill_keys` makes those of rows that there are, in Python: SQL takes a hundred times as long.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import text

from inventory.domain.text import LETTERS_OF_ORDER, order_key, person_order_key
from inventory.migrations.history import unrecorded
from vonggac.database.steps import Op, Steps

NAMED = (
    "agencies", "teams", "units", "facilities", "destinations", "recorders", "cameras", "obligations",
    "information_requests",
)  # fmt: skip
PEOPLE = ("focal_points", "team_members")
KINDS = (("order_key", "name", NAMED), ("person_order_key", "full_name", PEOPLE))
"""The function that makes the key, the column that it is made of, and the tables."""
_READ = "select distinct {name}, name_order from {table} where id = any(:ids) and {name} is not null"
_FILL = """
update {table} t set name_order = k.key from unnest(cast(:names as text[]), cast(:keys as text[])) as k(name, key)
where t.id = any(:ids) and t.{name} = k.name
"""

_LETTERS = "".join(LETTERS_OF_ORDER)
_PLACES = "".join(place for place, _ in LETTERS_OF_ORDER.values())
_TONES = "".join(tone for _, tone in LETTERS_OF_ORDER.values())

ORDER_KEY = f"""
create function order_key(name text) returns text immutable language sql as $$
  select translate(name, '{_LETTERS}', '{_PLACES}') || E'\\x01'
    || rtrim(translate(regexp_replace(name, '[^{_LETTERS}]', '', 'g'), '{_LETTERS}', '{_TONES}'), '0')
    || E'\\x01' || name
$$
"""
PERSON_ORDER_KEY = """
create function person_order_key(full_name text) returns text immutable language sql as $$
  select order_key(regexp_replace(full_name, '^(.*) ([^ ]*)$', '\\2 \\1'))
$$
"""


def fill_keys(op: Op, steps: Steps, table: str) -> None:
    """Make the keys of `table` and its history that are missing or of an earlier name, a batch after the other."""
    for each in (table, f"{table}_history"):
        steps.run_in_batches(f"keys of {each}", partial(_fill, op, each), table=each)


def _fill(op: Op, table: str, ids: Sequence[Any]) -> None:
    name, make = ("full_name", person_order_key) if table.removesuffix("_history") in PEOPLE else ("name", order_key)
    found = op.get_bind().execute(text(_READ.format(table=table, name=name)), {"ids": ids})
    wrong = {row[0]: key for row in found if row[1] != (key := make(row[0]))}
    if not wrong:
        return
    parts = {"ids": ids, "names": list(wrong), "keys": list(wrong.values())}
    # The triggers of the history would record the rows as changed.
    with unrecorded(op, table):
        op.get_bind().execute(text(_FILL.format(table=table, name=name)), parts)

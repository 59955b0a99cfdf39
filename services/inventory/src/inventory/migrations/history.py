"""The history of a table, kept by triggers of the database: for migrations.

`add_history` is called for a new table, and again after every migration that changes the columns of a table that has a
history: it adds what is new and writes the triggers anew. A table that has rows already gets its history in
`create_history`, is read in batches (`backfill_history`), and then gets the triggers (`write_triggers`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from vonggac.database.steps import Op

_EXCLUDED = ("recorded_from", "recorded_to")

CLOCK = """
create or replace function recorded_now() returns timestamptz stable language sql as $$
  select coalesce(nullif(current_setting('vonggac.now', true), '')::timestamptz, transaction_timestamp())
$$
"""
_CREATE = """
create table if not exists {history} (
  id uuid not null, recorded_from timestamptz not null, recorded_to timestamptz,
  constraint pk_{history} primary key (id, recorded_from)
)
"""
_INSERTED = """
create or replace function {table}_record_insert() returns trigger language plpgsql as $$
begin
  insert into {history} ({columns}, recorded_from) select {values}, recorded_now() from new_rows n;
  return null;
end $$
"""
_UPDATED = """
create or replace function {table}_record_update() returns trigger language plpgsql as $$
declare
  at timestamptz := recorded_now();
begin
  -- A state that the same write replaces was never on record.
  delete from {history} h using old_rows o where h.id = o.id and h.recorded_to is null and h.recorded_from = at;
  update {history} h set recorded_to = greatest(at, h.recorded_from)
  from old_rows o where h.id = o.id and h.recorded_to is null;
  insert into {history} ({columns}, recorded_from) select {values}, at from new_rows n;
  return null;
end $$
"""
_DELETED = """
create or replace function {table}_record_delete() returns trigger language plpgsql as $$
declare
  at timestamptz := recorded_now();
begin
  delete from {history} h using old_rows o where h.id = o.id and h.recorded_to is null and h.recorded_from = at;
  update {history} h set recorded_to = greatest(at, h.recorded_from)
  from old_rows o where h.id = o.id and h.recorded_to is null;
  return null;
end $$
"""
_PRESENT = """
insert into {history} ({columns}, recorded_from) select {values}, n.changed_at from {table} n
where n.id = any(:ids) and not exists (select from {history} h where h.id = n.id and h.recorded_to is null)
"""
_CHANGED = """
select coalesce(n.id, h.id) from {table} n
full join (select * from {history} where recorded_to is null) h on h.id = n.id
where (n.revision, n.changed_at) is distinct from (h.revision, h.changed_at)
"""
_ROWS = {"insert": "new table as new_rows", "delete": "old table as old_rows"}
_ROWS["update"] = f"{_ROWS['delete']} {_ROWS['insert']}"
_COLUMNS = text(
    "select attname, format_type(atttypid, atttypmod) from pg_attribute "
    "where attrelid = to_regclass(:table) and attnum > 0 and not attisdropped order by attnum"
)


def add_history(op: Op, table: str) -> None:
    """Give `table` its `<table>_history` and the triggers that write it, or bring both up to its present columns.

    A table that gets another name: rename `<table>_history` too, then call this. Of sealed columns `has_…` is in it.
    """
    create_history(op, table)
    write_triggers(op, table)


def create_history(op: Op, table: str) -> None:
    """Give `table` its `<table>_history`, which nothing writes yet, or add the columns that are new."""
    history = f"{table}_history"
    op.execute(CLOCK)
    op.execute(_CREATE.format(history=history))
    present = {name for name, _ in _columns(op, history)}
    names = set[str]()
    for name, kind in _columns(op, table):
        kept = _kept(name)
        names.add(kept)
        if kept not in present:
            op.execute(f'alter table {history} add column "{kept}" {kind if kept == name else "boolean"}')
    present_state = f"create unique index if not exists ix_{history}_present on {history} (id)"
    op.execute(f"{present_state} where recorded_to is null")
    if "code" in names:
        if "code" not in present:
            op.execute(f"alter table {history} alter column code set not null")
        op.execute(f"create index if not exists ix_{history}_code on {history} (code, id)")


def write_triggers(op: Op, table: str) -> None:
    """Let the database write the history of `table` from now on, with all its present columns."""
    parts = _parts(op, table)
    for event, body in {"insert": _INSERTED, "update": _UPDATED, "delete": _DELETED}.items():
        op.execute(body.format(**parts))
        op.execute(f"drop trigger if exists record_{event} on {table}")
        op.execute(
            f"create trigger record_{event} after {event} on {table} referencing {_ROWS[event]} "
            f"for each statement execute function {table}_record_{event}()"
        )


def backfill_history(op: Op, table: str, ids: Sequence[Any]) -> None:
    """Record the rows `ids` of `table` as they are, each since its `changed_at`; recorded ones stay."""
    op.get_bind().execute(text(_PRESENT.format(**_parts(op, table))), {"ids": ids})


def read_changed(op: Op, table: str) -> Sequence[Any]:
    """Read the ids of what was written since its history was read, before triggers write it."""
    return list(op.get_bind().execute(text(_CHANGED.format(table=table, history=f"{table}_history"))).scalars())


@contextmanager
def unrecorded(op: Op, table: str) -> Iterator[None]:
    """Leave changes of `table` that nobody made out of its history, in this transaction; a history itself has none."""
    if table.endswith("_history"):
        yield
        return
    op.execute(f"alter table {table} disable trigger user")
    yield
    op.execute(f"alter table {table} enable trigger user")


def drop_history(op: Op, table: str) -> None:
    """Take the history of `table` away, for a downgrade."""
    drop_triggers(op, table)
    op.execute(f"drop table if exists {table}_history")


def drop_triggers(op: Op, table: str) -> None:
    """Stop writing the history of `table`, before it gets another name; `add_history` goes on under the new one."""
    for event in ("insert", "update", "delete"):
        op.execute(f"drop trigger if exists record_{event} on {table}")
        op.execute(f"drop function if exists {table}_record_{event}()")


def rename_history(op: Op, before: str, after: str) -> None:
    """Give the history of a table the name that follows from the table's new one."""
    op.execute(f"alter table {before}_history rename to {after}_history")
    op.execute(f"alter table {after}_history rename constraint pk_{before}_history to pk_{after}_history")
    for part in ("present", "code"):
        op.execute(f"alter index if exists ix_{before}_history_{part} rename to ix_{after}_history_{part}")


def _parts(op: Op, table: str) -> dict[str, str]:
    names = [name for name, _ in _columns(op, table)]
    values = (f"n.{name}" if _kept(name) == name else f"n.{name} is not null" for name in names)
    columns = ", ".join(map(_kept, names))
    return {"table": table, "history": f"{table}_history", "columns": columns, "values": ", ".join(values)}


def _kept(column: str) -> str:
    """Return the name in the history: of a sealed column only whether it has something."""
    return "has_" + column.removeprefix("sealed_") if column.startswith("sealed_") else column


def _columns(op: Op, table: str) -> Sequence[tuple[str, str]]:
    rows = op.get_bind().execute(_COLUMNS, {"table": table})
    return [(name, kind) for name, kind in rows if name not in _EXCLUDED]

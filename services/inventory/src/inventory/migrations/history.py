"""The history of a table, kept by triggers of the database: for migrations.

`add_history` is called for a new table, and again after every migration that changes the columns of a table that has a
history: it adds what is new and writes the triggers anew.
"""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection, text


class Op(Protocol):
    """The part of `alembic.op` that migrations of history need."""

    def execute(self, sqltext: str) -> None: ...
    def get_bind(self) -> Connection: ...


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
where not exists (select from {history} h where h.id = n.id and h.recorded_to is null)
"""
_ROWS = {"insert": "new table as new_rows", "delete": "old table as old_rows"}
_ROWS["update"] = f"{_ROWS['delete']} {_ROWS['insert']}"
_COLUMNS = text(
    "select attname, format_type(atttypid, atttypmod) from pg_attribute "
    "where attrelid = to_regclass(:table) and attnum > 0 and not attisdropped order by attnum"
)


def add_history(op: Op, table: str) -> None:
    """Give `table` its `<table>_history` and the triggers that write it, or bring both up to its present columns.

    A table that has rows already: call `backfill_history` after it. A table that gets another name: rename
    `<table>_history` too, then call this. Sealed columns are in it as `has_…` alone.
    """
    history = f"{table}_history"
    op.execute(CLOCK)
    op.execute(_CREATE.format(history=history))
    present = {name for name, _ in _columns(op, history)}
    names, values = list[str](), list[str]()
    for name, kind in _columns(op, table):
        sealed = name.startswith("sealed_")
        kept = "has_" + name.removeprefix("sealed_") if sealed else name
        names.append(kept)
        values.append(f"n.{name} is not null" if sealed else f"n.{name}")
        if kept not in present:
            op.execute(f'alter table {history} add column "{kept}" {"boolean" if sealed else kind}')
    parts = {"table": table, "history": history, "columns": ", ".join(names), "values": ", ".join(values)}
    for event, body in {"insert": _INSERTED, "update": _UPDATED, "delete": _DELETED}.items():
        op.execute(body.format(**parts))
        op.execute(f"drop trigger if exists record_{event} on {table}")
        op.execute(
            f"create trigger record_{event} after {event} on {table} referencing {_ROWS[event]} "
            f"for each statement execute function {table}_record_{event}()"
        )
    present_state = f"create unique index if not exists ix_{history}_present on {history} (id)"
    op.execute(f"{present_state} where recorded_to is null")
    if "code" in names:
        op.execute(f"alter table {history} alter column code set not null")
        op.execute(f"create index if not exists ix_{history}_code on {history} (code, id)")


def backfill_history(op: Op, table: str) -> None:
    """Record what is in `table` now, each row since its `changed_at`; rows that are recorded already stay."""
    history = f"{table}_history"
    names, values = list[str](), list[str]()
    for name, _ in _columns(op, table):
        sealed = name.startswith("sealed_")
        names.append("has_" + name.removeprefix("sealed_") if sealed else name)
        values.append(f"n.{name} is not null" if sealed else f"n.{name}")
    parts = {"table": table, "history": history, "columns": ", ".join(names), "values": ", ".join(values)}
    op.execute(_PRESENT.format(**parts))


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


def _columns(op: Op, table: str) -> Sequence[tuple[str, str]]:
    rows = op.get_bind().execute(_COLUMNS, {"table": table})
    return [(name, kind) for name, kind in rows if name not in _EXCLUDED]

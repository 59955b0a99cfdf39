"""Both clocks: validity of every thing, the history of every table, reasons, and answers kept for repeated requests."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from inventory.migrations.history import (
    backfill_history,
    create_history,
    drop_history,
    read_changed,
    write_triggers,
)
from vonggac.database.steps import Steps

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UNDATED = ("facilities", "destinations", "cameras", "deliveries")
_TABLES = {
    "agency": "agencies",
    "district": "districts",
    "facility": "facilities",
    "focal_point": "focal_points",
    "destination": "destinations",
    "camera": "cameras",
    "delivery": "deliveries",
}
# What a log line lacks: the columns that are no part of it, and those that came after it was written.
_SEARCHED = {
    "facilities": "s ->> 'code', s ->> 'name', s ->> 'address'",
    "focal_points": "s ->> 'full_name', s ->> 'position', s ->> 'phone', s ->> 'email', s ->> 'unit'",
}
_FOLD = (
    "btrim(regexp_replace(replace(replace(regexp_replace(normalize(lower(concat_ws(' ', {texts})), NFD), "
    "'[\u0300-\u036f]', '', 'g'), 'đ', 'd'), 'y', 'i'), '\\s+', ' ', 'g'))"
)
_FROM_LOG = """
insert into {history}
select (jsonb_populate_record(null::{history}, v.s || jsonb_build_object(
  'recorded_from', v.changed_at, 'recorded_to', v.until, 'changed_at', v.changed_at, 'created_at', v.born,
  'id', v.thing_id, 'revision', v.number, 'search', {search},
  'has_secret', v.s ->> 'secret_changed_at' is not null,
  'has_read_back_secret', v.s ->> 'read_back_secret_changed_at' is not null
))).*
from (
  select w.*, jsonb_build_object('enhanced_rtmp', false) || w.after as s from (
    select l.*, row_number() over t as number, min(l.changed_at) over (partition by l.thing_id) as born,
      least(lead(l.changed_at) over t, p.recorded_from) as until
    from (
      select distinct on (thing_id, changed_at) thing_id, changed_at, after
      from changes where noun = :noun and thing_id = any(:ids) order by thing_id, changed_at, id desc
    ) l left join {history} p on p.id = l.thing_id and p.recorded_to is null
    window t as (partition by l.thing_id order by l.changed_at)
  ) w where w.after is not null and w.until > w.changed_at
) v
"""


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("tables", _add_tables)
    for noun, table in _TABLES.items():
        steps.run(f"history of {table}", partial(create_history, op, table))
        steps.run_in_batches(f"present {table}", partial(backfill_history, op, table), table=table)
        from_log = partial(_record_from_log, noun, table)
        of_noun = f"noun = '{noun}'"
        steps.run_in_batches(f"{table} of the log", from_log, table="changes", key="thing_id", where=of_noun)
        last = f"triggers of {table}"
        steps.catch_up(last, partial(read_changed, op, table), partial(_record_anew, noun, table))
        steps.run(last, partial(_go_on_by_triggers, noun, table))


def _add_tables() -> None:
    for table in _UNDATED:
        op.add_column(table, sa.Column("valid_from", sa.Date()))
        op.add_column(table, sa.Column("valid_to", sa.Date()))
    op.add_column("changes", sa.Column("reason", sa.Text()))
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"])


def downgrade() -> None:
    for table in reversed(_TABLES.values()):
        drop_history(op, table)
    op.execute("drop function if exists recorded_now()")
    op.drop_table("idempotency_keys")
    op.drop_column("changes", "reason")
    for table in _UNDATED:
        op.drop_column(table, "valid_to")
        op.drop_column(table, "valid_from")


def _record_from_log(noun: str, table: str, ids: Sequence[Any]) -> None:
    """Earlier states as the change log has them; the present one, recorded before, or the removal ends the last."""
    history = f"{table}_history"
    search = _FOLD.format(texts=_SEARCHED.get(table, "s ->> 'code', s ->> 'name'"))
    statement = _FROM_LOG.format(history=history, search=search)
    op.get_bind().execute(sa.text(statement), {"noun": noun, "ids": ids})


def _go_on_by_triggers(noun: str, table: str) -> None:
    """Record anew what the running service wrote since its batch; nobody writes until the triggers are there."""
    op.execute(f"lock table {table} in share row exclusive mode")
    if changed := read_changed(op, table):
        _record_anew(noun, table, changed)
    write_triggers(op, table)


def _record_anew(noun: str, table: str, ids: Sequence[Any]) -> None:
    op.get_bind().execute(sa.text(f"delete from {table}_history where id = any(:ids)"), {"ids": ids})  # noqa: S608 # names of ours
    backfill_history(op, table, ids)
    _record_from_log(noun, table, ids)

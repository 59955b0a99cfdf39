"""Surveys, connection plans and installation proposals; facilities connected before keep running by an exception."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from inventory.migrations.history import add_history, drop_history
from vonggac.database.steps import Steps

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("surveys", "connection_plans", "plan_exceptions", "installation_proposals")
_CONNECTED = "Connected before connection plans were recorded."
_EXCEPT = """
with made as (
  insert into plan_exceptions (id, revision, created_at, changed_at, facility_id, why, approved_by, decided_on)
  select gen_random_uuid(), 1, now(), now(), f.id, :why, 'migration 0009', (now() at time zone 'Asia/Ho_Chi_Minh')::date
  from facilities f
  where f.id = any(:ids) and exists (
    select from deliveries d join cameras c on c.id = d.camera_id where c.facility_id = f.id
  ) and not exists (select from plan_exceptions e where e.facility_id = f.id)
  returning id, facility_id, why, approved_by, decided_on
)
insert into changes (changed_at, changed_by, request_id, noun, thing_id, action, after, reason)
select now(), 'migration 0009', 'migration-0009', 'plan_exception', id, 'created', to_jsonb(made), :why from made
"""


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("surveys", _surveys)
    steps.run("plans", _plans)
    steps.run("proposals", _proposals)
    for table in _TABLES:
        steps.run(f"history of {table}", partial(add_history, op, table))
    steps.run_in_batches("exceptions", _except, table="facilities")


def _except(ids: Sequence[Any]) -> None:
    op.get_bind().execute(sa.text(_EXCEPT), {"why": _CONNECTED, "ids": ids})


def downgrade() -> None:
    for table in _TABLES:
        drop_history(op, table)
    for table in ("survey_contents", "survey_submissions", *_TABLES):
        op.drop_table(table)


def _surveys() -> None:
    op.create_table(
        "surveys",
        *_thing(),
        *_coded("surveys"),
        *_reference("surveys", "facility_id", "facilities", index=True),
        *_status(),
        _text("mode", null=False),
        *map(_text, ("lead_name", "lead_phone")),
        *_reference("surveys", "lead_agency_id", "agencies", null=True, index=True),
        _text("basis"),
        *map(_day, ("scheduled_on", "surveyed_on")),
        *map(_text, ("place", "briefed_by")),
        _instant("briefed_at"),
        *map(_text, ("rules_version", "acknowledged_by")),
        _instant("acknowledged_at"),
        _json("participants", null=False),
        sa.Column("verdict", sa.String(32)),
        _text("verdict_reason"),
        _json("form"),
        _json("attachments", null=False),
        sa.Column("submission_id", sa.Uuid()),
        *map(_instant, ("submitted_at", "approved_at")),
        *map(_text, ("approved_by", "note")),
    )
    op.create_table(
        "survey_submissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_reference("survey_submissions", "survey_id", "surveys", index=True, ondelete="CASCADE"),
        _text("digest", null=False),
        _instant("received_at", null=False),
        _text("received_by", null=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_submissions")),
    )
    op.create_table(
        "survey_contents",
        *_reference("survey_contents", "survey_id", "surveys", ondelete="CASCADE"),
        *(_text(name, null=False) for name in ("sha256", "media_type")),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("bare", sa.Boolean(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _instant("received_at", null=False),
        _text("received_by", null=False),
        sa.PrimaryKeyConstraint("survey_id", "sha256", name=op.f("pk_survey_contents")),
    )
    # Photos are compressed already: trying again costs time and saves nothing.
    op.execute("alter table survey_contents alter column content set storage external")


def _plans() -> None:
    op.create_table(
        "connection_plans",
        *_thing(),
        *_coded("connection_plans"),
        *_reference("connection_plans", "facility_id", "facilities"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_status(),
        _instant("agreed_at"),
        _json("connections", null=False),
        _day("connect_by"),
        *map(_text, ("responsible_lead", "responsible_operator")),
        _json("consents", null=False),
        _text("note"),
        sa.UniqueConstraint("facility_id", "version", name=op.f("uq_connection_plans_facility_id_version")),
    )
    op.create_index(
        "uq_connection_plans_agreed",
        "connection_plans",
        ["facility_id"],
        unique=True,
        postgresql_where=sa.text("status = 'agreed'"),
    )
    op.create_table(
        "plan_exceptions",
        *_thing(),
        *_reference("plan_exceptions", "facility_id", "facilities"),
        *(_text(name, null=False) for name in ("why", "approved_by")),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.UniqueConstraint("facility_id", name=op.f("uq_plan_exceptions_facility_id")),
    )


def _proposals() -> None:
    op.create_table(
        "installation_proposals",
        *_thing(),
        *_coded("installation_proposals"),
        *_reference("installation_proposals", "facility_id", "facilities", index=True),
        *_status(),
        _json("areas", null=False),
        *map(_text, ("recorder", "line", "power")),
        sa.Column("estimated_cost_vnd", sa.BigInteger()),
        sa.Column("lead_time_days", sa.Integer()),
        *map(_text, ("proposed_connection", "decision_number")),
        _day("decision_date"),
        _text("funding_source"),
        _day("installed_on"),
        _text("note"),
    )


def _thing() -> tuple[Any, ...]:
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(_instant(name, null=False) for name in ("created_at", "changed_at")),
        *map(_day, ("valid_from", "valid_to")),
    )


def _coded(table: str) -> tuple[Any, ...]:
    unique = sa.UniqueConstraint("code", name=op.f(f"uq_{table}_code"))
    return _text("code", null=False), _text("search", null=False), unique


def _status() -> tuple[Any, ...]:
    return sa.Column("status", sa.String(32), nullable=False), _instant("status_since", null=False)


def _reference(
    table: str, name: str, other: str, *, null: bool = False, index: bool = False, ondelete: str | None = None
) -> tuple[Any, ...]:
    key = sa.ForeignKeyConstraint([name], [f"{other}.id"], name=op.f(f"fk_{table}_{name}_{other}"), ondelete=ondelete)
    return sa.Column(name, sa.Uuid(), nullable=null, index=index), key


def _text(name: str, *, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=null)


def _day(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Date())


def _instant(name: str, *, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _json(name: str, *, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(), nullable=null)

"""What the mandate demands and what was done about it: directives to journal entries, and teams."""

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from inventory.migrations.history import add_history, drop_history
from vonggac.database.steps import Steps

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = (
    "teams",
    "team_members",
    "directives",
    "obligations",
    "information_requests",
    "visits",
    "inspections",
    "maintenance_windows",
    "journal_entries",
    "blocked_reasons",
)


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("teams", _teams)
    steps.run("obligations", _directives_and_obligations)
    steps.run("requests", _requests)
    steps.run("visits", _visits_and_inspections)
    steps.run("windows", _maintenance_windows)
    steps.run("notes", _notes)
    for table in _TABLES:
        steps.run(f"history of {table}", partial(add_history, op, table))


def downgrade() -> None:
    for table in reversed(_TABLES):
        drop_history(op, table)
        op.drop_table(table)


def _teams() -> None:
    _create("teams", _text("code"), _text("name"), _text("search"), _reference("agency_id", "agencies"))
    op.create_unique_constraint(op.f("uq_teams_code"), "teams", ["code"])
    _create(
        "team_members",
        _reference("team_id", "teams"),
        _text("full_name"),
        _text("position"),
        _text("phone", null=True),
        _text("search"),
    )


def _directives_and_obligations() -> None:
    _create(
        "directives",
        _text("code"),
        _text("number"),
        _reference("issuer_id", "agencies"),
        sa.Column("issued_on", sa.Date(), nullable=False),
        _text("subject"),
        *(_text(name, null=True) for name in ("signer", "file_name", "file_sha256", "link")),
        _reference("implements_id", "directives", null=True),
        _reference("supersedes_id", "directives", null=True),
        _text("source", null=True),
        _text("search"),
    )
    op.create_unique_constraint(op.f("uq_directives_code"), "directives", ["code"])
    _create(
        "obligations",
        _text("code"),
        _text("name"),
        _text("search"),
        _word("kind"),
        _reference("directive_id", "directives"),
        _reference("responsible_agency_id", "agencies"),
        _time("due_before", null=True),
        _structured("deadlines"),
        sa.Column("facility_types", postgresql.ARRAY(sa.Text()), nullable=False),
        _reference("managing_agency_id", "agencies", null=True),
        _reference("unit_id", "units", null=True),
        sa.Column("with_cameras", sa.Boolean()),
        sa.Column("facility_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("every_days", sa.Integer()),
        _text("note", null=True),
        _word("status"),
        _time("completed_at", null=True),
        _text("settled_by", null=True),
        _text("settled_reason", null=True),
    )
    op.create_unique_constraint(op.f("uq_obligations_code"), "obligations", ["code"])
    op.create_index(op.f("ix_obligations_due_before"), "obligations", ["due_before"])


def _requests() -> None:
    _create(
        "information_requests",
        _text("code"),
        _text("name"),
        _text("search"),
        _reference("facility_id", "facilities"),
        _time("due_before", null=True),
        _structured("questions"),
        _structured("answers"),
        _word("status"),
    )
    op.create_unique_constraint(op.f("uq_information_requests_code"), "information_requests", ["code"])


def _visits_and_inspections() -> None:
    _create(
        "visits",
        _reference("facility_id", "facilities"),
        _reference("team_id", "teams"),
        _word("purpose"),
        sa.Column("remote", sa.Boolean(), nullable=False),
        _time("planned_from"),
        _time("planned_to"),
        *(_text(name, null=True) for name in ("gate_contact", "gate_phone", "escort")),
        _time("entered_at", null=True),
        _time("left_at", null=True),
        _texts("zones"),
        _texts("protection"),
        sa.Column("health_declared", sa.Boolean(), nullable=False),
        _text("briefed_by", null=True),
        _time("briefed_at", null=True),
        _texts("rules_acknowledged"),
        sa.Column("tools_disinfected", sa.Boolean(), nullable=False),
        sa.Column("available_from", sa.Date()),
        _text("obstruction", null=True),
        _text("note", null=True),
        _word("status"),
        _text("search"),
    )
    op.create_index(op.f("ix_visits_planned_from"), "visits", ["planned_from"])
    _create(
        "inspections",
        _reference("facility_id", "facilities"),
        sa.Column("inspected_on", sa.Date(), nullable=False),
        _reference("agency_id", "agencies"),
        _texts("inspectors"),
        _structured("findings"),
        _text("note", null=True),
        _text("search"),
    )
    op.create_index(op.f("ix_inspections_inspected_on"), "inspections", ["inspected_on"])


def _maintenance_windows() -> None:
    _create(
        "maintenance_windows",
        _reference("camera_id", "cameras", null=True),
        _reference("facility_id", "facilities", null=True),
        _time("starts_at"),
        _time("ends_at"),
        _text("purpose"),
        _text("agreed_by"),
        _time("cancelled_at", null=True),
        _text("cancelled_by", null=True),
        _text("search"),
        sa.CheckConstraint(
            "(camera_id is null) <> (facility_id is null)", name=op.f("ck_maintenance_windows_one_subject")
        ),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_maintenance_windows_ordered")),
        sa.CheckConstraint("starts_at > created_at", name=op.f("ck_maintenance_windows_agreed_beforehand")),
    )
    op.create_index(op.f("ix_maintenance_windows_starts_at"), "maintenance_windows", ["starts_at"])


def _notes() -> None:
    _create(
        "journal_entries",
        _text("about_noun"),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        _text("text"),
        _text("written_by"),
        _text("search"),
    )
    op.create_index(op.f("ix_journal_entries_about_id"), "journal_entries", ["about_id"])
    _create(
        "blocked_reasons",
        _reference("facility_id", "facilities"),
        _word("kind"),
        _text("text", null=True),
        _text("search"),
        since_always=False,
    )


def _create(table: str, *columns: Any, since_always: bool = True) -> None:
    """Create a table of things; references to others get their index. `since_always`: valid_from may be empty."""
    parts = [column for column in columns if not isinstance(column, tuple)]
    references = [column for column in columns if isinstance(column, tuple)]
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        _time("created_at"),
        _time("changed_at"),
        sa.Column("valid_from", sa.Date(), nullable=since_always),
        sa.Column("valid_to", sa.Date()),
        *parts,
        *(sa.Column(name, sa.Uuid(), nullable=null) for name, _, null in references),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(
            sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}_{target}"))
            for name, target, _ in references
        ),
    )
    for name, _, _ in references:
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name])


def _reference(name: str, target: str, *, null: bool = False) -> tuple[str, str, bool]:
    return name, target, null


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=null)


def _texts(name: str) -> sa.Column[Any]:
    return sa.Column(name, postgresql.ARRAY(sa.Text()), nullable=False)


def _word(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(32), nullable=False)


def _time(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _structured(name: str) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(), nullable=False)

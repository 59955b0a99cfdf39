"""Requests for decisions; maintenance that was declared, and that nobody has agreed to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from inventory.migrations.history import add_history, drop_history
from vonggac.database.steps import Steps

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_WINDOWS = "maintenance_windows"
_BEFOREHAND = "ck_maintenance_windows_agreed_beforehand"
_BEFORE_IT_BEGAN = "ck_maintenance_windows_agreed_before_it_began"


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("columns", _add_columns)
    rule = "check (not agreed or starts_at > coalesce(confirmed_at, created_at))"
    steps.add_constraint(_WINDOWS, _BEFORE_IT_BEGAN, rule)
    op.execute(f"alter table {_WINDOWS} drop constraint {_BEFOREHAND}")
    _create_requests()


def _add_columns() -> None:
    # What was entered up to now was agreed with it.
    op.add_column(_WINDOWS, sa.Column("agreed", sa.Boolean(), nullable=False, server_default="true"))
    op.add_column(_WINDOWS, sa.Column("declared_by", sa.Text()))
    op.add_column(_WINDOWS, sa.Column("confirmed_at", sa.TIMESTAMP(timezone=True)))
    add_history(op, _WINDOWS)


def _create_requests() -> None:
    op.create_table(
        "decision_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_to", sa.Date()),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("facility_id", sa.Uuid()),
        sa.Column("window_id", sa.Uuid()),
        sa.Column("asked", JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_roles", ARRAY(sa.Text()), nullable=False),
        sa.Column("asked_agency_id", sa.Uuid()),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("decision_reason", sa.Text()),
        sa.Column("search", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decision_requests"),
    )
    for column in ("facility_id", "window_id", "asked_by", "status"):
        op.create_index(f"ix_decision_requests_{column}", "decision_requests", [column])
    add_history(op, "decision_requests")


def downgrade() -> None:
    drop_history(op, "decision_requests")
    op.drop_table("decision_requests")
    op.execute("delete from maintenance_windows where not agreed")
    op.execute(f"alter table {_WINDOWS} drop constraint {_BEFORE_IT_BEGAN}")
    op.create_check_constraint("agreed_beforehand", _WINDOWS, "starts_at > created_at")
    for column in ("agreed", "declared_by", "confirmed_at"):
        op.drop_column(_WINDOWS, column)
        op.drop_column(f"{_WINDOWS}_history", column)
    add_history(op, _WINDOWS)

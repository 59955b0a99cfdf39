"""Operators of provinces, coverage of facilities, recorders; what a survey notes of a camera and of its device."""

from functools import partial

import sqlalchemy as sa
from alembic import op

from inventory.migrations.history import add_history, drop_history
from vonggac.database.steps import Steps

revision = "0007"
down_revision = "0008"
branch_labels = None
depends_on = None

_CAMERA = (
    ("vendor", sa.String(32)),
    ("model", sa.Text()),
    ("firmware", sa.Text()),
    ("sub_url", sa.Text()),
    ("channel", sa.Integer()),
    ("verified_on", sa.Date()),
    ("verified_by", sa.Text()),
    ("shared_device_reason", sa.Text()),
)


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("occupancy", _add_occupancy)
    steps.run("territory", _territory)
    steps.run("recorders", _recorders)
    steps.run("cameras", _add_to_cameras)
    for table in ("operator_assignments", "coverages", "recorders"):
        steps.run(f"history of {table}", partial(add_history, op, table))
    reference = "foreign key (recorder_id) references recorders (id)"
    steps.add_constraint("cameras", "fk_cameras_recorder_id_recorders", reference)
    steps.create_index("ix_cameras_recorder_id", "cameras", "(recorder_id)")


def _add_occupancy() -> None:
    op.add_column("facilities", sa.Column("occupancy", sa.Integer()))
    add_history(op, "facilities")


def _add_to_cameras() -> None:
    for name, kind in _CAMERA:
        op.add_column("cameras", sa.Column(name, kind))
    op.add_column("cameras", sa.Column("recorder_id", sa.Uuid()))
    add_history(op, "cameras")


def _territory() -> None:
    op.create_table(
        "operator_assignments",
        *_thing(valid_from=True),
        sa.Column("unit_id", sa.Uuid(), sa.ForeignKey("units.id"), nullable=False, index=True),
        sa.Column("agency_id", sa.Uuid(), sa.ForeignKey("agencies.id"), nullable=False, index=True),
        sa.Column("document", sa.Text()),
    )
    op.execute(
        "alter table operator_assignments add constraint ex_operator_assignments_unit_id "
        "exclude using gist (unit_id with =, daterange(valid_from, valid_to, '[]') with &&)"
    )
    op.create_table(
        "coverages",
        *_thing(),
        # No index of its own: the unique pair below begins with it.
        sa.Column("facility_id", sa.Uuid(), sa.ForeignKey("facilities.id"), nullable=False),
        sa.Column("area", sa.String(32), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("cameras_needed", sa.Integer(), nullable=False),
        sa.Column("blind_spots", sa.Text()),
        sa.Column("night_light", sa.Boolean()),
        sa.UniqueConstraint("facility_id", "area"),
    )


def downgrade() -> None:
    op.drop_index("ix_cameras_recorder_id", "cameras")
    for name in ("recorder_id", *(name for name, _ in _CAMERA)):
        op.drop_column("cameras", name)
        op.drop_column("cameras_history", name)
    add_history(op, "cameras")
    for table in ("recorders", "coverages", "operator_assignments"):
        drop_history(op, table)
        op.drop_table(table)
    op.drop_column("facilities", "occupancy")
    op.drop_column("facilities_history", "occupancy")
    add_history(op, "facilities")


def _recorders() -> None:
    op.create_table(
        "recorders",
        *_thing(),
        sa.Column("code", sa.Text(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), sa.ForeignKey("facilities.id"), nullable=False, index=True),
        sa.Column("vendor", sa.String(32)),
        sa.Column("model", sa.Text()),
        sa.Column("firmware", sa.Text()),
        sa.Column("serial", sa.Text()),
        sa.Column("mac", sa.Text()),
        sa.Column("host", sa.Text()),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("disk_tb", sa.Double()),
        sa.Column("days_kept", sa.Integer()),
        sa.Column("time_source", sa.Text()),
    )


def _thing(*, valid_from: bool = False) -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=not valid_from),
        sa.Column("valid_to", sa.Date()),
    )

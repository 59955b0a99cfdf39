"""The first tables: agencies, districts, facilities, people, cameras, destinations, deliveries; change log, outbox."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _administration()
    _facilities()
    _destinations_and_cameras()
    _change_log_and_outbox()


def downgrade() -> None:
    names = ("deliveries", "focal_points", "cameras", "facilities", "destinations", "districts", "agencies")
    for table in (*names, "changes", "outbox"):
        op.drop_table(table)


def _administration() -> None:
    op.create_table("agencies", *_thing(), *_coded(), _word("role"), *_period())
    op.create_table("districts", *_thing(), *_coded(), *_period(), _text("legal_basis", null=True))


def _facilities() -> None:
    op.create_table(
        "facilities",
        *_thing(),
        *_coded(),
        _word("type"),
        _word("status"),
        _reference("district_id", "districts"),
        _reference("managing_agency_id", "agencies"),
        _text("address", null=True),
        sa.Column("beds", sa.Integer()),
        _text("decision_number", null=True),
        sa.Column("decision_date", sa.Date()),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("restricted", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "focal_points",
        *_thing(),
        _reference("facility_id", "facilities"),
        _text("full_name"),
        _text("position"),
        _text("phone"),
        _text("email", null=True),
        _text("unit", null=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        _text("appointment_document", null=True),
        _text("search"),
    )


def _destinations_and_cameras() -> None:
    op.create_table(
        "destinations",
        *_thing(),
        *_coded(),
        _word("role"),
        _text("url_template"),
        _word("required_proof"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        *_secret(),
    )
    op.create_table(
        "cameras",
        *_thing(),
        *_coded(),
        _reference("facility_id", "facilities"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _word("area", null=True),
        _text("url"),
        _word("transport"),
        sa.Column("forward_audio", sa.Boolean(), nullable=False),
        sa.Column("probe_interval_s", sa.Double(), nullable=False),
        sa.Column("probe_timeout_s", sa.Double(), nullable=False),
        *_secret(),
    )
    op.create_table(
        "deliveries",
        *_thing(),
        # No index of its own: the unique pair below begins with it.
        sa.Column("camera_id", sa.Uuid(), sa.ForeignKey("cameras.id"), nullable=False),
        _reference("destination_id", "destinations"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _text("url"),
        sa.UniqueConstraint("camera_id", "destination_id"),
        sa.UniqueConstraint("url", deferrable=True, initially="DEFERRED"),
    )


def _change_log_and_outbox() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, index=True),
        _text("changed_by"),
        sa.Column("request_id", sa.Text(), nullable=False, index=True),
        _text("noun"),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        _text("action"),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.Index("ix_changes_thing_id_id", "thing_id", "id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        _text("event_id"),
        _text("subject"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _thing() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )


def _coded() -> tuple[sa.Column[Any], ...]:
    return sa.Column("code", sa.Text(), nullable=False, unique=True), _text("name"), _text("search")


def _period() -> tuple[sa.Column[Any], ...]:
    return sa.Column("valid_from", sa.Date()), sa.Column("valid_to", sa.Date())


def _secret() -> tuple[sa.Column[Any], ...]:
    return _text("sealed_secret", null=True), sa.Column("secret_changed_at", sa.DateTime(timezone=True))


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=null)


def _word(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(32), nullable=null)


def _reference(name: str, table: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=False, index=True)

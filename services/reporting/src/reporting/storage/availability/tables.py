"""The ledger's tables, what came after it was written, targets, what read-backs prove and people dispute."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reporting.domain.ledger import CAMERA_SUMS, DAY, ORIGIN, date_of
from reporting.storage.tables import metadata

__all__ = ["availability_target", "late_evidence", "ledger_camera", "ledger_mark", "ledger_state",
           "metadata", "repetition_dispute"]  # fmt: skip


def _adds_up(*names: str) -> CheckConstraint:
    parts = " + ".join(f"coalesce({name}, 0)" for name in names)
    length = f"(day - date '{date_of(ORIGIN)}') * {DAY}::bigint"
    return CheckConstraint(f"{parts} = {length}", name="adds_up")


def _sums(*names: str) -> list[Column[int]]:
    """Build columns of sums: a null takes no room on the page."""
    return [Column(name, BigInteger) for name in names]


ledger_camera = Table(
    "ledger_camera",
    metadata,
    Column("camera_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True, comment="The midnight in Vietnam that begins it"),
    Column("kind", SmallInteger, nullable=False, comment="Of all time up to the next row: place in CAMERA_KINDS"),
    *_sums(*CAMERA_SUMS),
    Column("deliveries", LargeBinary, comment="The same of each of its deliveries, packed"),
    _adds_up("up", "down", "maintenance", "unknown", "out_of_scope"),
    comment="Milliseconds since the ledger's origin, null for none; a row where something changed",
)

ledger_state = Table(
    "ledger_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("closed_until", Date, comment="Days before this one stand in the ledger"),
    Column("closing_until", Date, comment="Evidence for days before this one is late"),
    Column("frozen_until", DateTime(timezone=True), comment="Evidence for time before it is late for a frozen report"),
    Column("written_at", DateTime(timezone=True)),
    CheckConstraint("id = 1", name="one_row"),
)

ledger_mark = Table(
    "ledger_mark",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("camera_id", Uuid, comment="null: any camera"),
    Column("day", Date, nullable=False, comment="The first day that it touches"),
    Column("what", Text, nullable=False),
    Column("noticed_at", DateTime(timezone=True), nullable=False),
    comment="Evidence that came after its day had been written; the ledger is written anew and the mark removed",
)

late_evidence = Table(
    "late_evidence",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("camera_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    Column("what", Text, nullable=False, comment="Kinds of facts that came"),
    Column("noticed_at", DateTime(timezone=True), nullable=False),
    Column("written_at", DateTime(timezone=True), nullable=False),
    Column("change", JSONB, nullable=False, comment="Milliseconds that each part of the day gained or lost"),
    Column(
        "deliveries",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="The same of each delivery that changed, by its id; and by cause of what was not connected",
    ),
    Index("ix_late_evidence_day", "day", "camera_id"),
    comment="Days of cameras whose figures changed after the lateness horizon",
)

availability_target = Table(
    "availability_target",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("valid_from", DateTime(timezone=True), primary_key=True),
    Column("percent", Numeric(9, 6), nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("metric in ('availability', 'compliance')", name="metric"),
    CheckConstraint("percent > 0 and percent <= 100", name="percent"),
    comment="What share of its time a camera must be up, or comply, from a moment on",
)


def _stretch(*, nullable: bool) -> tuple[Column[object], ...]:
    return (
        Column("ends_at", DateTime(timezone=True), nullable=nullable),
        Column("kind", SmallInteger, nullable=nullable, comment="4 unreachable, 5 differs, 6 matches"),
        Column("cause", Text),
        Column(
            "losses_from", DateTime(timezone=True), nullable=nullable, comment="The first picture, or the last failure"
        ),
        Column("firm_at", DateTime(timezone=True), nullable=nullable, comment="Before, only if no read-back was lost"),
        Column("widest_ms", BigInteger, nullable=nullable, comment="A picture came back at least that often"),
        Column("worker", BigInteger, nullable=nullable, comment="Digest of the forwarder's name"),
    )


delivery_session = Table(
    "delivery_session",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("begins_at", DateTime(timezone=True), comment="Null, as the next ones: its read-backs prove no time yet"),
    *_stretch(nullable=True),
    Column("session", LargeBinary, nullable=False, comment="The session at the newest entry"),
    Column("before", LargeBinary, comment="The session before the first entry of the tail, once trimmed"),
    Column("tail", LargeBinary, nullable=False, comment="The newest read-backs and changes of state"),
    comment="What read-backs prove of each delivery's present session; what is closed is in read_back_stretch",
    # The row is rewritten by every read-back: room on the page keeps the update away from the index.
    postgresql_with={"fillfactor": "50"},
)

read_back_stretch = Table(
    "read_back_stretch",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("begins_at", DateTime(timezone=True), primary_key=True),
    *_stretch(nullable=False),
    CheckConstraint("ends_at > begins_at", name="not_empty"),
    Index("ix_read_back_stretch_differs", "delivery_id", postgresql_where=text("kind = 5")),
    comment="When read-backs prove that a delivery was connected, or that it was not: since rule 4",
)

accounting_rule = Table(
    "accounting_rule",
    metadata,
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    Column("holds_from", DateTime(timezone=True), nullable=False),
    comment="Since when a rule counts that came after the first facts; time before is counted by the one before it",
)

repetition_dispute = Table(
    "repetition_dispute",
    metadata,
    Column("camera_id", Uuid, primary_key=True),
    Column("disputed_at", DateTime(timezone=True), primary_key=True),
    Column("decided_at", DateTime(timezone=True), comment="Null: nobody has decided yet"),
    Column("confirmed", Boolean, comment="Of one that was decided: the finding stands; else it is off"),
    Column("ended_at", DateTime(timezone=True), comment="The first new keyframe; null: none has come"),
    comment="What people said of cameras that show a recording in a loop",
)

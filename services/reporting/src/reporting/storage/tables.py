"""The tables. Times are timestamptz at millisecond precision.

Mirrors of the inventory hold no foreign keys to each other: events of different things come in any order.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from vonggac.database import new_metadata

metadata = new_metadata()


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


inbox = Table(
    "inbox",
    metadata,
    Column("event_key", Uuid, primary_key=True, comment="Digest of source and id of a CloudEvent that was handled"),
    _time("received_at"),
    Index("ix_inbox_received_at", "received_at"),
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("id", Uuid, primary_key=True, comment="A thing of the inventory that is gone"),
    Column("noun", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

agency = Table(
    "agency",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
)

district = Table(
    "district",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
)

facility = Table(
    "facility",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("district_id", Uuid, nullable=False),
    Column("managing_agency_id", Uuid, nullable=False),
    Column("restricted", Boolean, nullable=False),
)

destination = Table(
    "destination",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("required_proof", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

camera = Table(
    "camera",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("facility_id", Uuid, nullable=False, index=True),
    Column("enabled", Boolean, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("camera_id", Uuid, nullable=False, index=True),
    Column("destination_id", Uuid, nullable=False),
    Column("destination_code", Text, nullable=False),
    Column("required_proof", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    _time("last_alive_at"),
    CheckConstraint("kind in ('prober', 'forwarder')", name="kind"),
)

camera_state = Table(
    "camera_state",
    metadata,
    Column("camera_id", Uuid, primary_key=True),
    _time("started_at"),
    _time("ends_at"),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    _time("last_observed_at"),
    Column("anchor_at", DateTime(timezone=True), comment="Start of the run the tail begins in, once trimmed"),
    Column("tail", LargeBinary, nullable=False, comment="The newest observations, 18 bytes each"),
    comment="The open run of each camera; closed ones are in camera_run",
    # The row is rewritten by every observation: room on the page keeps the update away from the index.
    postgresql_with={"fillfactor": "50"},
)

camera_run = Table(
    "camera_run",
    metadata,
    Column("camera_id", Uuid, primary_key=True),
    Column("started_at", DateTime(timezone=True), primary_key=True),
    _time("ends_at"),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    _time("last_observed_at"),
    CheckConstraint("ends_at > started_at", name="not_empty"),
    ExcludeConstraint(
        ("camera_id", "="),
        (func.tstzrange(text("started_at"), text("ends_at")), "&&"),
        name="ex_camera_run_overlap",
        using="gist",
    ),
    Index("ix_camera_run_ends_at", "ends_at"),
)

delivery_change = Table(
    "delivery_change",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("worker_id", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _time("held_since"),
    _time("observed_at"),
    Column("ends_at", DateTime(timezone=True), comment="The same worker's next change; null while there is none"),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    Column("attempt", SmallInteger, nullable=False),
    Index("ix_delivery_change_observed_at", "observed_at", postgresql_using="brin"),
)

delivery_proof = Table(
    "delivery_proof",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    _time("verified_at"),
    Column("delay_s", Double),
    comment="The newest read-back of each delivery that matched",
    # The row is rewritten by every match: room on the page keeps the update away from the index.
    postgresql_with={"fillfactor": "50"},
)

corrected_fact = Table(
    "corrected_fact",
    metadata,
    Column("event_key", Uuid, primary_key=True),
    Column("event_type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    _time("dated_at"),
    _time("taken_at"),
    Index("ix_corrected_fact_taken_at", "taken_at", postgresql_using="brin"),
    comment="Facts that were dated after they were stored: by themselves, and as they were taken",
)

maintenance_window = Table(
    "maintenance_window",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("camera_id", Uuid, index=True),
    Column("facility_id", Uuid, index=True),
    _time("starts_at"),
    _time("ends_at"),
    Column("reason", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    _time("created_at"),
    Column("cancelled_at", DateTime(timezone=True)),
    Column("cancelled_by", Text),
    CheckConstraint("(camera_id is null) <> (facility_id is null)", name="one_subject"),
    CheckConstraint("ends_at >= starts_at", name="ordered"),
    CheckConstraint("starts_at > created_at", name="agreed_beforehand"),
)

"""The tables: timestamptz in milliseconds, no foreign keys. The register: a row a revision, [valid_from, valid_to)."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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


WORKER_DIGEST = "hashtextextended(worker_id, 0)"
EMPTY_PICTURE = "picture_since is not null and (not picture_judged or picture_cause is not null)"


def _once_said(table: str, thing: str) -> Index:
    """Let a worker say something of a thing once. Its name would be the greater part of the key, its digest is not."""
    return Index(f"uq_{table}", thing, text(WORKER_DIGEST), "sequence", unique=True)


def _by_time(table: str) -> tuple[Index, Index]:
    """Rows lie in the order in which they came, so that those of a day are found by the blocks that hold its time: a
    report of a day does not read a year of its cameras. It takes no room."""
    begins = {"camera_run": "started_at", "delivery_change": "coalesce(begins_at, observed_at)"}[table]
    by_block: Any = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": "on"}}
    return (
        Index(f"ix_{table}_ends_at", "ends_at", **by_block),
        Index(f"ix_{table}_begins_at", text(begins), **by_block),
    )


def same_worker(one: str, other: str) -> str:
    """In SQL: two rows are of one worker. With the digest, which the index has."""
    return (
        f"{one}.worker_id = {other}.worker_id "
        f"and hashtextextended({one}.worker_id, 0) = hashtextextended({other}.worker_id, 0)"
    )


def _dated() -> tuple[Column[object], ...]:
    """Build the columns of everything that is kept revision by revision."""
    return (
        Column("removed", Boolean, nullable=False, comment="The thing is gone from then on"),
        Column("created_at", DateTime(timezone=True)),
        _time("changed_at"),
        Column("changed_by", Text),
        Column("reason", Text),
        Column("valid_from", DateTime(timezone=True), nullable=False),
        Column("valid_to", DateTime(timezone=True), comment="The next revision's change; null while there is none"),
        Column("decided_by", Text, comment="Who made the change since which it is as it is"),
        Column("decided_why", Text),
        Column(
            "read_until",
            DateTime(timezone=True),
            comment="Until when the register had been read when this revision came; null: an earlier release kept it",
        ),
        Column(
            "unknown_from",
            DateTime(timezone=True),
            comment="From then to valid_to revisions are missing: what held is not known; null: none is",
        ),
    )


register_reading = Table(
    "register_reading",
    metadata,
    Column("started_at", DateTime(timezone=True), primary_key=True),
    _time("ended_at"),
    comment="When all that the stream INVENTORY had was in these tables",
)

inbox = Table(
    "inbox",
    metadata,
    Column("event_key", Uuid, primary_key=True, comment="Digest of source and id of a CloudEvent that was handled"),
    _time("received_at"),
    Index("ix_inbox_received_at", "received_at"),
)

bus_position = Table(
    "bus_position",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("floor", BigInteger, comment="All up to here is in the tables; null: not known yet"),
    Column("reached", BigInteger, comment="The consumer had been given all up to here; null: not known yet"),
    Column("stream_created_at", DateTime(timezone=True)),
)

publisher = Table(
    "publisher",
    metadata,
    Column("id", Text, primary_key=True, comment="A process that publishes facts"),
    Column("newest", BigInteger, nullable=False, comment="Highest sequence of its facts"),
    _time("newest_at"),
    Column("oldest", BigInteger, comment="Lowest sequence of its facts; null: it was not kept"),
    Column("oldest_at", DateTime(timezone=True), comment="Time of that fact"),
    Column("oldest_since", DateTime(timezone=True), comment="Since when that fact had seen what it says"),
)

publisher_gap = Table(
    "publisher_gap",
    metadata,
    Column("publisher_id", Text, primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False, comment="First missing sequence"),
    Column("last", BigInteger, nullable=False, comment="Last missing sequence"),
    Column("began_at", DateTime(timezone=True), nullable=False, comment="Time of the fact before"),
    Column("ended_at", DateTime(timezone=True), nullable=False, comment="Time of the fact after"),
    _time("noticed_at"),
    Column("lost_at", DateTime(timezone=True), comment="When it was given up"),
    Column("before_at", DateTime(timezone=True), comment="Time of the fact before, also where it is the later one"),
    Column("after_at", DateTime(timezone=True), comment="Time of the fact after, also where it is the earlier one"),
    Column("after_since", DateTime(timezone=True), comment="Since when the fact after had seen what it says"),
    CheckConstraint('"last" >= "first"', name="ordered"),
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

unit = Table(
    "unit",
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
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Text),
    Column("name", Text),
    Column("type", Text),
    Column("status", Text),
    Column("unit_id", Uuid),
    Column("managing_agency_id", Uuid),
    Column("restricted", Boolean),
    Column("address", Text, comment="As the register wrote it; null: none, of a restricted one, or never heard of"),
    Column("founded_on", Date, comment="Day of the decision that founds it, else its first day in force"),
    *_dated(),
)

destination = Table(
    "destination",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    *(Column(name, Text) for name in ("code", "name", "role", "required_proof")),
    Column("enabled", Boolean),
    Column("mode", Text, comment="push or serve; null: an earlier release, so push"),
    Column("responsible", Text, comment="Of one that pulls: who is named when it does not ask"),
    *_dated(),
)

camera = Table(
    "camera",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Text),
    Column("name", Text),
    Column("facility_id", Uuid, index=True),
    Column("enabled", Boolean),
    Column("shared_device_reason", Text, comment="Why another camera on record has the same device"),
    Column("installed_on", Date, comment="First day on which it is in force; null: as long as it is on record"),
    *_dated(),
)

delivery = Table(
    "delivery",
    metadata,
    Column("camera_id", Uuid, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False, comment="Of its camera"),
    Column("id", Uuid, primary_key=True),
    Column("destination_id", Uuid, nullable=False),
    Column("destination_code", Text, nullable=False),
    Column("required_proof", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    _time("valid_from"),
    Column("valid_to", DateTime(timezone=True)),
    Column("plan", Text, comment="What it runs under (R04); null: an earlier release left it out"),
    Column("plan_exception", Text, comment="Why it runs without an agreed plan"),
    Index("ix_delivery_id", "id"),
    comment="What each revision of a camera is delivered to",
)

worker_life = Table(
    "worker_life",
    metadata,
    Column("worker_id", Text, primary_key=True),
    Column("started_at", DateTime(timezone=True), primary_key=True),
    _time("ended_at"),
    Column("kind", Text, nullable=False),
    Column("clock_stepped_ms", BigInteger, comment="By how much the server's clock was set since the worker started"),
    CheckConstraint("kind in ('prober', 'forwarder', 'probing')", name="kind"),
    CheckConstraint("ended_at >= started_at", name="ordered"),
    Index("ix_worker_life_ended_at", "ended_at"),
    Index("ix_worker_life_clock_stepped", "worker_id", postgresql_where=text("clock_stepped_ms <> 0")),
    comment="When each worker, and any prober (probing), watched without a hole",
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
    Column("tail", LargeBinary, nullable=False, comment="The newest observations, 26 bytes each"),
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
    *_by_time("camera_run"),
)

read_back_state = Table(
    "read_back_state",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    _time("started_at"),
    _time("ends_at"),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    _time("last_observed_at"),
    Column("anchor_at", DateTime(timezone=True), comment="Start of the run the tail begins in, once trimmed"),
    Column("tail", LargeBinary, nullable=False, comment="The newest read-backs, 26 bytes each"),
    comment="Before rule 4: the open run of each delivery's read-backs; closed ones are in read_back_run",
    postgresql_with={"fillfactor": "50"},
)

read_back_run = Table(
    "read_back_run",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("started_at", DateTime(timezone=True), primary_key=True),
    _time("ends_at"),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    _time("last_observed_at"),
    CheckConstraint("ends_at > started_at", name="not_empty"),
    ExcludeConstraint(
        ("delivery_id", "="),
        (func.tstzrange(text("started_at"), text("ends_at")), "&&"),
        name="ex_read_back_run_overlap",
        using="gist",
    ),
)

delivery_change = Table(
    "delivery_change",
    metadata,
    Column("delivery_id", Uuid, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    _time("held_since"),
    _time("observed_at"),
    Column("ends_at", DateTime(timezone=True), comment="The same worker's next change; null while there is none"),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    Column("attempt", SmallInteger, nullable=False),
    Column("begins_at", DateTime(timezone=True), comment="When the state began; null: when it was seen, observed_at"),
    Column("acknowledged_at", DateTime(timezone=True), comment="The last media that the destination had confirmed"),
    Column("first_changed_at", DateTime(timezone=True), comment="Of several changes in one report: the first"),
    Column("refused_for", Text, comment="Why a centre that pulls is refused; null: it is not, or nobody said"),
    _once_said("delivery_change", "delivery_id"),
    Index("ix_delivery_change_observed_at", "observed_at", postgresql_using="brin"),
    *_by_time("delivery_change"),
)

camera_media = Table(
    "camera_media",
    metadata,
    Column("camera_id", Uuid, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    _time("held_since"),
    _time("observed_at"),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    _time("dated_at"),
    Column("stopped_at", DateTime(timezone=True), comment="The last media before it stopped; null: never any"),
    Column("still_since", DateTime(timezone=True)),
    Column("still_until", DateTime(timezone=True)),
    Column("still_cause", Text, comment="Why it showed nothing new; null: frozen"),
    Column("begins_at", DateTime(timezone=True), comment="dated_at where the state changed, observed_at elsewhere"),
    Column("ends_at", DateTime(timezone=True), comment="The same worker's next report; null while there is none"),
    Column("still_ends_at", DateTime(timezone=True), comment="As still_until, or as its next report has it"),
    Column("picture_since", DateTime(timezone=True), comment="The last change of its picture; null: none"),
    Column("picture_judged", Boolean, nullable=False, server_default=text("false"), comment="A prober decoded it"),
    Column("picture_cause", Text, comment="Why it shows nothing, of one that was judged so"),
    Column("picture_ends_at", DateTime(timezone=True), comment="The next change of it, or the next report"),
    _once_said("camera_media", "camera_id"),
    Index("ix_camera_media_stopped", "ends_at", postgresql_where=text("state = 'stopped'")),
    Index("ix_camera_media_still", "still_ends_at", postgresql_where=text("still_since is not null")),
    Index("ix_camera_media_empty", "picture_ends_at", postgresql_where=text(EMPTY_PICTURE)),
    comment="What forwarders reported of each camera's media",
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

site_fault = Table(
    "site_fault",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("began_at", DateTime(timezone=True), primary_key=True),
    Column("ended_at", DateTime(timezone=True)),
    Column("cause", Text, nullable=False),
    Column("camera_ids", ARRAY(Uuid), nullable=False),
    Index("ix_site_fault_began_at", "began_at"),
    comment="All cameras of a facility failed alike",
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
    Column("approved_by", Text),
    _time("created_at"),
    Column("cancelled_at", DateTime(timezone=True)),
    Column("cancelled_by", Text),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("agreed", Boolean, nullable=False, server_default="true"),
    Column("declared_by", Text),
    CheckConstraint("(camera_id is null) <> (facility_id is null)", name="one_subject"),
    CheckConstraint("ends_at >= starts_at", name="ordered"),
    CheckConstraint("not agreed or starts_at > created_at", name="agreed_before_it_began"),
)

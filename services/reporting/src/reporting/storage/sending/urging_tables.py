"""Tables of urging (R11). Rules and channels are current state with a revision; the log is only added to."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reporting.storage.tables import metadata


def _changes() -> tuple[Column[object], ...]:
    return (
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("created_by", Text, nullable=False),
        Column("changed_at", DateTime(timezone=True), nullable=False),
        Column("changed_by", Text, nullable=False),
    )


urge_channel = Table(
    "urge_channel",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("agency_id", Uuid, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("address", Text, nullable=False, comment="Sealed with the key of the service"),
    Column("enabled", Boolean, nullable=False),
    *_changes(),
    CheckConstraint("kind in ('mailto', 'json')", name="kind"),
)

urge_rule = Table(
    "urge_rule",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("agency_id", Uuid, comment="The party, where it is one agency for all"),
    Column("level", SmallInteger, nullable=False),
    Column("hours", Integer, nullable=False, comment="Overdue or down for, or due within"),
    Column("every_hours", Integer, nullable=False),
    Column("after_answer_hours", Integer, nullable=False),
    Column("quiet_from", Text, comment="HH:MM, Asia/Ho_Chi_Minh"),
    Column("quiet_to", Text),
    Column("channel_kinds", ARRAY(Text), nullable=False, comment="Empty: in the log only"),
    Column("obligation_kinds", ARRAY(Text), nullable=False, comment="Empty: all"),
    Column("enabled", Boolean, nullable=False),
    *_changes(),
    CheckConstraint("level between 1 and 3", name="level"),
    CheckConstraint("(party = 'agency') = (agency_id is not null)", name="party"),
)

urge = Table(
    "urge",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("agency_id", Uuid, nullable=False),
    Column("agency_code", Text),
    Column("agency_name", Text),
    Column("level", SmallInteger, nullable=False),
    Column("rule_ids", ARRAY(Uuid), nullable=False),
    Column("items", JSONB, nullable=False, comment="What it was urged about, as it stood then"),
    Column("issuer", JSONB, nullable=False, comment="In whose name a letter is: names as they were then"),
    Column("urged_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text, nullable=False, comment="rules, or the subject of the token"),
    Column("reason", Text, comment="Why somebody urged by hand; of rules, and of earlier releases, none"),
    Index("ix_urge_agency", "agency_id", "urged_at"),
    Index("ix_urge_urged_at", "urged_at"),
)

urge_sending = Table(
    "urge_sending",
    metadata,
    Column("urge_id", Uuid, primary_key=True),
    Column("channel_id", Uuid, primary_key=True),
    Column("channel_name", Text, nullable=False),
    Column("channel_kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text),
    Column("sent_at", DateTime(timezone=True)),
    CheckConstraint("state in ('pending', 'sent', 'failed')", name="state"),
    Index("ix_urge_sending_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
)

urge_answer = Table(
    "urge_answer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("urge_id", Uuid, nullable=False, index=True),
    Column("answered_at", DateTime(timezone=True), nullable=False),
    Column("text", Text, nullable=False),
    Column("document", Text, comment="Number of the letter that answers"),
    Column("promised_by", DateTime(timezone=True), comment="Before when the party promises it"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("own_word", Boolean, nullable=False, server_default="false", comment="Given by the party's own token"),
    Column("document_day", Date, comment="Day on that letter"),
    Column("document_file", Text, comment="Where the signed letter is kept"),
    Column("facility_id", Uuid, comment="The facility that answers by its link"),
    Column("facility_name", Text, comment="As it was called in what was urged"),
)

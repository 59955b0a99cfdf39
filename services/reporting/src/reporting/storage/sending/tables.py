"""Tables of the feeds. A notice and its deliveries are written in the transaction of their fact."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from reporting.storage.tables import metadata

feed_position = Table(
    "feed_position",
    metadata,
    Column("name", Text, primary_key=True),
    Column("watched_until", DateTime(timezone=True), nullable=False),
    comment="Up to when each watch has noticed what there was",
)

noticed_outage = Table(
    "noticed_outage",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("camera_id", Uuid, nullable=False),
    Column("camera_code", Text, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("facility_code", Text, nullable=False),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("began_before", Boolean, nullable=False),
    Column("ended_at", DateTime(timezone=True), comment="Null while it goes on"),
    Column("causes", ARRAY(Text), nullable=False),
    Column("noticed_at", DateTime(timezone=True), nullable=False),
    Index("ix_noticed_outage_camera", "camera_id", "began_at"),
    Index("ix_noticed_outage_open", "began_at", postgresql_where=text("ended_at is null")),
    comment="Confirmed outages that were published: derived, for the difference to the next time",
)

notice = Table(
    "notice",
    metadata,
    Column("sequence", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("event_type", Text, nullable=False),
    Column("noun", Text, nullable=False, comment="outage, site, obligation or report"),
    Column("thing_id", Uuid, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="The CloudEvent, as bus and webhooks carry it"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("published_at", DateTime(timezone=True), comment="When NATS had stored it"),
    Index("ix_notice_unpublished", "sequence", postgresql_where=text("published_at is null")),
    Index("ix_notice_created_at", "created_at"),
    comment="The outbox: what is published, in order",
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text), nullable=False, comment="Empty: all"),
    Column("secret", Text, nullable=False, comment="Sealed with the key of the service"),
    Column("previous_secret", Text, comment="Sealed; signs too until previous_until"),
    Column("previous_until", DateTime(timezone=True)),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_because", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", Text, nullable=False),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("webhook_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False, comment="Of the notice"),
    Column("thing_id", Uuid, nullable=False, comment="Its notices are delivered in order"),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("budget_from", Integer, nullable=False, server_default="0", comment="Attempts before it was sent again"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("outcome", Text, comment="Of the last attempt"),
    Column("http_status", Integer),
    CheckConstraint("state in ('pending', 'delivered', 'failed', 'dropped')", name="state"),
    UniqueConstraint("webhook_id", "sequence"),
    Index("ix_webhook_delivery_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
    Index("ix_webhook_delivery_order", "webhook_id", "thing_id", "sequence"),
    Index("ix_webhook_delivery_sequence", "sequence"),
)

webhook_attempt = Table(
    "webhook_attempt",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("http_status", Integer),
)

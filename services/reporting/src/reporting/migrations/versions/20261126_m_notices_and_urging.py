"""Notices with their webhooks, and urging: rules, channels and the log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _notices()
    _webhooks()
    _urging_rules()
    _urging_log()


def _notices() -> None:
    op.create_table(
        "feed_position",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("watched_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feed_position")),
        comment="Up to when each watch has noticed what there was",
    )
    op.create_table(
        "noticed_outage",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("camera_id", sa.Uuid(), nullable=False),
        sa.Column("camera_code", sa.Text(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("facility_code", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_before", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), comment="Null while it goes on"),
        sa.Column("causes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_noticed_outage")),
        comment="Confirmed outages that were published: derived, for the difference to the next time",
    )
    op.create_index("ix_noticed_outage_camera", "noticed_outage", ["camera_id", "began_at"])
    op.create_index(
        "ix_noticed_outage_open", "noticed_outage", ["began_at"], postgresql_where=sa.text("ended_at is null")
    )
    op.create_table(
        "notice",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("noun", sa.Text(), nullable=False, comment="outage, site, obligation or report"),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="The CloudEvent, as bus and webhooks carry it"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), comment="When NATS had stored it"),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_notice")),
        sa.UniqueConstraint("event_id", name=op.f("uq_notice_event_id")),
        comment="The outbox: what is published, in order",
    )
    op.create_index("ix_notice_created_at", "notice", ["created_at"])
    op.create_index("ix_notice_unpublished", "notice", ["sequence"], postgresql_where=sa.text("published_at is null"))


def _webhooks() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("event_types", sa.ARRAY(sa.Text()), nullable=False, comment="Empty: all"),
        sa.Column("secret", sa.Text(), nullable=False, comment="Sealed with the key of the service"),
        sa.Column("previous_secret", sa.Text(), comment="Sealed; signs too until previous_until"),
        sa.Column("previous_until", sa.DateTime(timezone=True)),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_because", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="Of the notice"),
        sa.Column("thing_id", sa.Uuid(), nullable=False, comment="Its notices are delivered in order"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column(
            "budget_from", sa.Integer(), server_default="0", nullable=False, comment="Attempts before it was sent again"
        ),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.Text(), comment="Of the last attempt"),
        sa.Column("http_status", sa.Integer()),
        sa.CheckConstraint(
            "state in ('pending', 'delivered', 'failed', 'dropped')", name=op.f("ck_webhook_delivery_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("webhook_id", "sequence", name=op.f("uq_webhook_delivery_webhook_id_sequence")),
    )
    op.create_index(
        "ix_webhook_delivery_due",
        "webhook_delivery",
        ["next_attempt_at"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_webhook_delivery_order", "webhook_delivery", ["webhook_id", "thing_id", "sequence"])
    op.create_index("ix_webhook_delivery_sequence", "webhook_delivery", ["sequence"])
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("http_status", sa.Integer()),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_webhook_attempt")),
    )


def _urging_rules() -> None:
    op.create_table(
        "urge_channel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="Sealed with the key of the service"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('mailto', 'json')", name=op.f("ck_urge_channel_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urge_channel")),
    )
    op.create_index(op.f("ix_urge_channel_agency_id"), "urge_channel", ["agency_id"])
    op.create_table(
        "urge_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), comment="The party, where it is one agency for all"),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False, comment="Overdue or down for, or due within"),
        sa.Column("every_hours", sa.Integer(), nullable=False),
        sa.Column("after_answer_hours", sa.Integer(), nullable=False),
        sa.Column("quiet_from", sa.Text(), comment="HH:MM, Asia/Ho_Chi_Minh"),
        sa.Column("quiet_to", sa.Text()),
        sa.Column("channel_kinds", sa.ARRAY(sa.Text()), nullable=False, comment="Empty: in the log only"),
        sa.Column("obligation_kinds", sa.ARRAY(sa.Text()), nullable=False, comment="Empty: all"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("(party = 'agency') = (agency_id is not null)", name=op.f("ck_urge_rule_party")),
        sa.CheckConstraint("level between 1 and 3", name=op.f("ck_urge_rule_level")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urge_rule")),
    )


def _urging_log() -> None:
    op.create_table(
        "urge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("agency_code", sa.Text()),
        sa.Column("agency_name", sa.Text()),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("rule_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=False, comment="What it was urged about, as it stood then"),
        sa.Column(
            "issuer", postgresql.JSONB(), nullable=False, comment="In whose name a letter is: names as they were then"
        ),
        sa.Column("urged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="rules, or the subject of the token"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urge")),
    )
    op.create_index("ix_urge_agency", "urge", ["agency_id", "urged_at"])
    op.create_index("ix_urge_urged_at", "urge", ["urged_at"])
    op.create_table(
        "urge_sending",
        sa.Column("urge_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("channel_name", sa.Text(), nullable=False),
        sa.Column("channel_kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state in ('pending', 'sent', 'failed')", name=op.f("ck_urge_sending_state")),
        sa.PrimaryKeyConstraint("urge_id", "channel_id", name=op.f("pk_urge_sending")),
    )
    op.create_index(
        "ix_urge_sending_due", "urge_sending", ["next_attempt_at"], postgresql_where=sa.text("state = 'pending'")
    )
    op.create_table(
        "urge_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("urge_id", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), comment="Number of the letter that answers"),
        sa.Column("promised_by", sa.DateTime(timezone=True), comment="Before when the party promises it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urge_answer")),
    )
    op.create_index(op.f("ix_urge_answer_urge_id"), "urge_answer", ["urge_id"])


def downgrade() -> None:
    for table in (
        "urge_answer",
        "urge_sending",
        "urge",
        "urge_rule",
        "urge_channel",
        "webhook_attempt",
        "webhook_delivery",
        "webhook",
        "notice",
        "noticed_outage",
        "feed_position",
    ):
        op.drop_table(table)

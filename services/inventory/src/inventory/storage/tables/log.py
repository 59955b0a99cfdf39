"""The change log, the outbox, where the streams stood, and the answers kept for repeated requests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.storage.tables.base import Base


class Change(Base):
    """One line of the change log (R25). `before` and `after` never hold a secret."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_thing_id_id", "thing_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    changed_at: Mapped[datetime] = mapped_column(index=True)
    changed_by: Mapped[str]
    request_id: Mapped[str] = mapped_column(index=True)
    noun: Mapped[str]
    thing_id: Mapped[UUID]
    action: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str | None]


class ActorName(Base):
    """What the tokens of a login said of its person from an instant on; never changed (decision 0161)."""

    __tablename__ = "actor_names"
    __table_args__ = (Index("ix_actor_names_login_since", "login", "since"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    login: Mapped[str]
    since: Mapped[datetime]
    name: Mapped[str]
    """Empty: its tokens name nobody any more."""
    post: Mapped[str]


class OutboxRow(Base):
    """A message on its way to NATS, or stored there lately: its exact bytes."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "id", postgresql_where=text("published_at is null")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[str]
    subject: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    repetition: Mapped[int] = mapped_column(default=0, server_default="0")
    written_boot: Mapped[str | None]
    written_ms: Mapped[int | None] = mapped_column(BigInteger)


class PublishedStream(Base):
    """Where a stream stood when this database published to it last."""

    __tablename__ = "published_stream"

    stream: Mapped[str] = mapped_column(primary_key=True)
    stream_created_at: Mapped[datetime | None]
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[int] = mapped_column(default=0, server_default="0")


class RepublishWanted(Base):
    """A noun that a migration wants published once more: it made records, or what their messages say, itself."""

    __tablename__ = "republish_wanted"

    noun: Mapped[str] = mapped_column(primary_key=True)


class Backup(Base):
    """A complete backup of the platform; `vonggac backup` writes it at its end."""

    __tablename__ = "backups"

    finished_at: Mapped[datetime] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class IdempotencyKey(Base):
    """The answer of a write that was asked for with an Idempotency-Key: a repetition gets it again."""

    __tablename__ = "idempotency_keys"

    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    """SHA-256 of method, path and body, hexadecimal; credentials are left out."""
    created_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int]
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)

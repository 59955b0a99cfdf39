"""The tables. Every thing has a permanent id, a revision (one more for each change) and the time of its last change."""

from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy import Enum as EnumType
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from inventory.domain.devices.areas import Area
from inventory.domain.text import fold
from vonggac.database import new_metadata
from vonggac.events.inventory import (
    AgencyRole,
    DestinationRole,
    FacilityStatus,
    FacilityType,
    MediaTransport,
    RequiredProof,
)


def _values(words: type[Enum]) -> list[str]:
    return [str(word.value) for word in words]


class Base(DeclarativeBase):
    """Base of all tables. Enums are stored as text, so that a longer enum needs no migration."""

    metadata = new_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        Enum: EnumType(Enum, native_enum=False, length=32, values_callable=_values),
    }


class Thing(Base):
    """A row with an identity, a revision and a message."""

    __abstract__ = True
    noun: ClassVar[str]
    searched: ClassVar[tuple[str, ...]] = ()
    """Columns that `q` searches."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    def searchable(self) -> str:
        """The folded text that `q` searches."""
        return fold(" ".join(str(getattr(self, name) or "") for name in self.searched))


class Coded(Thing):
    """A thing with a unique code."""

    __abstract__ = True
    searched: ClassVar[tuple[str, ...]] = ("code", "name")

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    search: Mapped[str]


class Agency(Coded):
    __tablename__ = "agencies"
    noun = "agency"

    role: Mapped[AgencyRole]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class District(Coded):
    __tablename__ = "districts"
    noun = "district"

    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    legal_basis: Mapped[str | None]


class Facility(Coded):
    __tablename__ = "facilities"
    noun = "facility"
    searched = ("code", "name", "address")

    type: Mapped[FacilityType]
    status: Mapped[FacilityStatus]
    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"), index=True)
    managing_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"), index=True)
    address: Mapped[str | None]
    beds: Mapped[int | None]
    decision_number: Mapped[str | None]
    decision_date: Mapped[date | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    restricted: Mapped[bool]


class FocalPoint(Thing):
    __tablename__ = "focal_points"
    noun = "focal_point"
    searched = ("full_name", "position", "phone", "email", "unit")

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    full_name: Mapped[str]
    position: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str | None]
    unit: Mapped[str | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    appointment_document: Mapped[str | None]
    search: Mapped[str]


class Destination(Coded):
    __tablename__ = "destinations"
    noun = "destination"

    role: Mapped[DestinationRole]
    url_template: Mapped[str]
    required_proof: Mapped[RequiredProof]
    enabled: Mapped[bool]
    sealed_secret: Mapped[str | None]
    secret_changed_at: Mapped[datetime | None]
    tls: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    enhanced_rtmp: Mapped[bool]
    read_back_url_template: Mapped[str | None]
    sealed_read_back_secret: Mapped[str | None]
    read_back_secret_changed_at: Mapped[datetime | None]

    @property
    def has_secret(self) -> bool:
        return self.sealed_secret is not None

    @property
    def has_read_back_secret(self) -> bool:
        return self.sealed_read_back_secret is not None


class Camera(Coded):
    __tablename__ = "cameras"
    noun = "camera"

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    enabled: Mapped[bool]
    area: Mapped[Area | None]
    url: Mapped[str]
    transport: Mapped[MediaTransport]
    tls: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    forward_audio: Mapped[bool]
    probe_interval_s: Mapped[float]
    probe_timeout_s: Mapped[float]
    expected: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sealed_secret: Mapped[str | None]
    secret_changed_at: Mapped[datetime | None]

    @property
    def has_secret(self) -> bool:
        return self.sealed_secret is not None


class Delivery(Thing):
    """One camera to one destination; `url` is the destination's template with the camera's values."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("camera_id", "destination_id"),
        # Deferred: while a template or a code changes, two addresses may be equal for a moment.
        UniqueConstraint("url", deferrable=True, initially="DEFERRED"),
    )
    noun = "delivery"

    camera_id: Mapped[UUID] = mapped_column(ForeignKey("cameras.id"))
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destinations.id"), index=True)
    enabled: Mapped[bool]
    url: Mapped[str]


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


class PublishedStream(Base):
    """Where a stream stood when this database published to it last."""

    __tablename__ = "published_stream"

    stream: Mapped[str] = mapped_column(primary_key=True)
    stream_created_at: Mapped[datetime | None]
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[int] = mapped_column(default=0, server_default="0")


THINGS: tuple[type[Thing], ...] = (Agency, District, Facility, FocalPoint, Destination, Camera, Delivery)

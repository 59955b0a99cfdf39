"""Cameras, destinations and deliveries."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.devices.vendors import Vendor
from inventory.domain.places.areas import Area
from inventory.storage.tables.base import Coded, Thing
from vonggac.events.inventory import (
    DestinationMode,
    DestinationRole,
    MediaTransport,
    RequiredProof,
)


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
    mode: Mapped[DestinationMode] = mapped_column(default=DestinationMode.PUSH, server_default="push")
    account: Mapped[str | None] = mapped_column(unique=True)
    serving: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sealed_previous_secret: Mapped[str | None]
    previous_secret_until: Mapped[datetime | None]

    @property
    def has_secret(self) -> bool:
        return self.sealed_secret is not None

    @property
    def has_read_back_secret(self) -> bool:
        return self.sealed_read_back_secret is not None

    @property
    def responsible(self) -> str | None:
        """Of a centre that pulls: whom a report names when it does not ask."""
        return (self.serving or {}).get("responsible")


class Recorder(Coded):
    __tablename__ = "recorders"
    noun = "recorder"
    searched = ("code", "name", "model", "serial", "host")

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    vendor: Mapped[Vendor | None]
    model: Mapped[str | None]
    firmware: Mapped[str | None]
    serial: Mapped[str | None]
    mac: Mapped[str | None]
    host: Mapped[str | None]
    port: Mapped[int]
    channels: Mapped[int]
    disk_tb: Mapped[float | None]
    days_kept: Mapped[int | None]
    time_source: Mapped[str | None]
    shared_device_reason: Mapped[str | None]


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
    vendor: Mapped[Vendor | None]
    model: Mapped[str | None]
    firmware: Mapped[str | None]
    firmware_released_on: Mapped[date | None]
    default_password_changed: Mapped[bool | None]
    cloud_access: Mapped[bool | None]
    certificate: Mapped[str | None]
    certificate_valid_until: Mapped[date | None]
    time_source: Mapped[str | None]
    sub_url: Mapped[str | None]
    recorder_id: Mapped[UUID | None] = mapped_column(ForeignKey("recorders.id"), index=True)
    channel: Mapped[int | None]
    verified_on: Mapped[date | None]
    verified_by: Mapped[str | None]
    shared_device_reason: Mapped[str | None]

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

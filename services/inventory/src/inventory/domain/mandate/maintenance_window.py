"""Maintenance windows: time agreed beforehand in which a camera, or all of a facility, may be down (R08).

Whoever decides agrees, before it begins. What anybody else enters, or what is entered afterwards, is declared: it is on
record and shown apart, and takes nothing out of the percentages. What has begun is a fact: a running window can only be
cut short.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Dated, Line

HEADINGS: Mapping[str, str] = {
    "camera_id": "Mã camera",
    "facility_id": "Mã cơ sở",
    "starts_at": "Bắt đầu",
    "ends_at": "Kết thúc",
    "purpose": "Nội dung bảo trì",
    **PERIOD_HEADINGS,
}


class MaintenanceWindowFields(Dated):
    """A window [starts_at, ends_at) of one camera or one facility."""

    camera_id: UUID | None = None
    facility_id: UUID | None = None
    starts_at: AwareDatetime = Field(description="Included; in the future of whoever agrees to it.")
    ends_at: AwareDatetime = Field(description="Excluded.")
    purpose: Line = Field(description="What is done in it.")

    @model_validator(mode="after")
    def _one_subject(self) -> "MaintenanceWindowFields":
        if (self.camera_id is None) == (self.facility_id is None):
            msg = "either camera_id or facility_id must be given, and not both"
            raise ValueError(msg)
        if self.ends_at <= self.starts_at:
            msg = "ends_at must be later than starts_at"
            raise ValueError(msg)
        return self


class Span(NamedTuple):
    """Of which camera or facility a window is, when, and whether it was cancelled."""

    subject_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    cancelled_at: datetime | None = None


def refusal(before: Span | None, after: Span, now: datetime) -> tuple[str, str] | None:
    """Field and message when the window cannot be entered, or changed from `before`; None when it can."""
    beforehand = "must lie in the future: maintenance is agreed beforehand, it cannot excuse an outage afterwards"
    if before is None:
        return None
    if now < before.starts_at:
        if before.cancelled_at is not None:
            return "starts_at", "this window was cancelled: enter a new one"
        return ("starts_at", beforehand) if after.starts_at <= now else None
    if now >= before.ends_at or before.cancelled_at is not None:
        return "ends_at", "this maintenance is over or cancelled; what has been cannot be changed"
    if (after.subject_id, after.starts_at) != (before.subject_id, before.starts_at):
        return "starts_at", "this maintenance has begun; what has been cannot be changed"
    if after.ends_at > before.ends_at:
        return "ends_at", "this maintenance has begun: it can be cut short, not lengthened; enter a new window"
    if after.ends_at < now:
        return "ends_at", "lies in the past: what has been cannot be changed"
    return None


def is_agreed(*, by_decider: bool, starts_at: datetime, now: datetime) -> bool:
    """Whether a window that is entered or changed `now` is agreed with it: by who decides, before it begins."""
    return by_decider and starts_at > now


def cancelled(window: Span, now: datetime) -> Span | None:
    """Cut the window at `now`, to nothing if it has not begun; None when it is over or cancelled already."""
    if window.cancelled_at is not None or window.ends_at <= now:
        return None
    return window._replace(ends_at=max(window.starts_at, now), cancelled_at=now)

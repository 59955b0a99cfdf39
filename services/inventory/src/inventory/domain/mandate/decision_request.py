"""Requests: what somebody who owes a duty asks for, with a reason, and who decides it (decision 0120)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from inventory.domain.fields import Fields, Line
from inventory.domain.mandate.deadline import DueBefore
from vonggac.events.inventory import Act, FacilityStatus, ObligationStatus


class RequestStatus(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


STATUS_WORDS: Mapping[RequestStatus, str] = {
    RequestStatus.WAITING: "đang chờ quyết định",
    RequestStatus.GRANTED: "đã chấp thuận",
    RequestStatus.REFUSED: "không chấp thuận",
    RequestStatus.WITHDRAWN: "đã rút",
}


def _check_request(act: Act) -> Act:
    if act not in NEEDS:
        msg = f"nobody asks for this: give one of {', '.join(NEEDS)}"
        raise ValueError(msg)
    return act


class Needs(NamedTuple):
    """The fields that a request of one act has."""

    needed: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    """Exactly one of these."""
    to: frozenset[str] = frozenset()
    """What `to` may be."""


NEEDS: Mapping[Act, Needs] = {
    Act.SETTLEMENT: Needs(
        ("obligation_id", "to"), ("completed_at", "facility_id"), to=frozenset(each.value for each in ObligationStatus)
    ),
    Act.DEADLINE: Needs(("obligation_id", "due_before"), ("directive_id", "facility_id")),
    Act.EXCEPTION: Needs(("facility_id",)),
    Act.MAINTENANCE: Needs(("starts_at", "ends_at"), one_of=("camera_id", "facility_id")),
    Act.CLOSING: Needs(
        ("facility_id", "to"),
        to=frozenset({FacilityStatus.SUSPENDED.value, FacilityStatus.CLOSED.value, FacilityStatus.ACTIVE.value}),
    ),
    Act.PURGE: Needs(("facility_id",)),
    Act.SWITCHING_OFF: Needs((), one_of=("camera_id", "delivery_id")),
}
_ALL = (
    "obligation_id", "facility_id", "camera_id", "delivery_id", "to", "completed_at", "due_before", "directive_id",
    "starts_at", "ends_at",
)  # fmt: skip


class RequestFields(Fields):
    """What is asked for. Which fields it has depends on the act."""

    act: Annotated[Act, AfterValidator(_check_request)] = Field(
        description="settlement and deadline: of an obligation; exception, closing, purge: of a facility; maintenance: "
        "of a camera or a facility; switching_off: of a camera or a delivery."
    )
    reason: Line = Field(description="Why; whoever decides reads it, and it stands in the change log.")
    obligation_id: UUID | None = None
    facility_id: UUID | None = Field(
        default=None, description="Of settlement and deadline: for which facility it is asked, where it is for one."
    )
    camera_id: UUID | None = None
    delivery_id: UUID | None = None
    to: str | None = Field(
        default=None,
        max_length=32,
        description="settlement: done, done_late, waived or open; closing: suspended, closed or active.",
    )
    completed_at: AwareDatetime | None = Field(default=None, description="settlement: when it was completed.")
    due_before: DueBefore | None = Field(default=None, description="deadline: the one that is asked for.")
    directive_id: UUID | None = Field(default=None, description="deadline: the directive that gives it.")
    starts_at: AwareDatetime | None = Field(default=None, description="maintenance: in the future.")
    ends_at: AwareDatetime | None = Field(default=None, description="maintenance: excluded.")

    @model_validator(mode="after")
    def _fits_the_act(self) -> "RequestFields":
        needs = NEEDS[self.act]
        given = {name for name in _ALL if getattr(self, name) is not None}
        known = {*needs.needed, *needs.allowed, *needs.one_of}
        if missing := [name for name in needs.needed if name not in given]:
            msg = f"{missing[0]} is missing: a request of the act '{self.act}' needs {', '.join(needs.needed)}"
            raise ValueError(msg)
        if needs.one_of and len(given & set(needs.one_of)) != 1:
            msg = f"give either {' or '.join(needs.one_of)}, and not both"
            raise ValueError(msg)
        if more := sorted(given - known):
            msg = f"{more[0]} is no part of a request of the act '{self.act}': leave it out"
            raise ValueError(msg)
        if needs.to and self.to not in needs.to:
            msg = f"to is one of {', '.join(sorted(needs.to))}"
            raise ValueError(msg)
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            msg = "ends_at must be later than starts_at"
            raise ValueError(msg)
        return self


class Decision(StrEnum):
    """What becomes of a request."""

    GRANTED = "granted"
    REFUSED = "refused"


class DecisionFields(Fields):
    """The body of a decision."""

    decision: Decision
    reason: Line | None = Field(default=None, description="Needed to refuse.")

    @model_validator(mode="after")
    def _refused_with_a_reason(self) -> "DecisionFields":
        if self.decision is Decision.REFUSED and self.reason is None:
            msg = "reason is missing: whoever asked reads why it was refused"
            raise ValueError(msg)
        return self


def reason_of(asked: str, decided: str | None) -> str:
    """Join the reasons of what is carried out: of who asked, and of who granted."""
    return (asked if decided is None else f"{asked}; {decided}")[:500]


def why_too_late(starts_at: datetime, now: datetime) -> str | None:
    """Why maintenance cannot be agreed any more; None: it can."""
    if starts_at > now:
        return None
    return (
        f"the maintenance began at {starts_at.isoformat()}: it is agreed before it begins, and what is declared "
        "afterwards takes nothing out of the percentages; it stays on record as declared"
    )

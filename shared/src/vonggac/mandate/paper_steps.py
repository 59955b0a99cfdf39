"""When a step of the mandate's process was taken: by the day on its paper, else by the day of its entry.

A survey is approved, a plan agreed, a proposal submitted or carried out. What was taken once keeps the day on which it
was taken first, also when it was returned, taken back, corrected or restored after that.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple

from vonggac.events.inventory import PlanStatus, ProposalStatus, SurveyStatus

type Revisions = Sequence[Mapping[str, Any]]
"""Every revision of one thing up to an instant, oldest first, with its values as in JSON."""

_ZONE = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh, which knows no summer time."""
_EPOCH = datetime(1970, 1, 1, 7, tzinfo=_ZONE)
_MILLISECOND = timedelta(milliseconds=1)


class Step(NamedTuple):
    """A step of the mandate's process: `kind` of its evidence, the states in which it is taken, its days."""

    kind: str
    states: frozenset[str]
    entered: str
    """Field with the instant of entry; where it is empty, since when the state is what it is."""
    papers: tuple[str, ...]
    """Fields with the day on paper, the first that is given."""
    numbers: tuple[str, ...] = ("document_number",)


APPROVED = Step("survey", frozenset({SurveyStatus.APPROVED.value}), "approved_at", ("signed_on",))
AGREED = Step(
    "connection_plan", frozenset({PlanStatus.AGREED.value, PlanStatus.SUPERSEDED.value}), "agreed_at", ("agreed_on",)
)
_INSTALLED = frozenset({ProposalStatus.INSTALLED.value, ProposalStatus.CONNECTED.value})
_SUBMITTED = _INSTALLED | {
    ProposalStatus.SUBMITTED.value,
    ProposalStatus.APPROVED.value,
    ProposalStatus.FUNDED.value,
}
SUBMITTED = Step(
    "proposal", _SUBMITTED, "status_since", ("signed_on", "decision_date"), ("document_number", "decision_number")
)
INSTALLED = Step("proposal", _INSTALLED, "status_since", ("installed_on",))


class Taken(NamedTuple):
    """A step as it was taken first; milliseconds since 1970."""

    recorded_at: int
    on_paper: int | None
    """The first instant of the day that is on paper; None: none is, and it counts from its entry."""
    number: str | None
    """Of its document."""

    @property
    def at(self) -> int:
        """The day on paper where it has one, else when it was entered."""
        return self.recorded_at if self.on_paper is None else self.on_paper


def find_taken(revisions: Revisions, step: Step, at: int) -> Taken | None:
    """Find the step as it was taken first by `at`; None: it was not."""
    entries = [(one, entered) for one in revisions if (entered := entered_at(one, step)) is not None]
    taken = [(one, entered) for one, entered in entries if one["status"] in step.states]
    recorded_at = min((entered for _, entered in taken), default=None)
    if recorded_at is None or recorded_at > at:
        return None
    last = taken[-1][0]
    paper = next((day for name in step.papers if (day := last.get(name)) is not None), None)
    if paper is None:
        return Taken(recorded_at, None, None)
    number = next((one for name in step.numbers if (one := last.get(name)) is not None), None)
    return Taken(recorded_at, _first_of(paper), number)


def find_naming(focal_point: Mapping[str, Any], entered: int) -> Taken:
    """Find when a focal point was named (R17): by the day on the document that names the officer, else at its entry,
    in both cases not before its first day in office. `entered`: milliseconds since 1970."""
    begins = _first_of(focal_point["valid_from"])
    number, signed_on = focal_point.get("appointment_document"), focal_point.get("appointment_signed_on")
    if number is None or signed_on is None:
        return Taken(entered, begins if begins > entered else None, None)
    return Taken(entered, max(begins, _first_of(signed_on)), number)


def entered_at(revision: Mapping[str, Any], step: Step) -> int | None:
    """When the step was entered, if this revision says it: milliseconds since 1970."""
    given = revision.get(step.entered) or (revision["status_since"] if step is not AGREED else None)
    return None if given is None else _millis(datetime.fromisoformat(given))


def _first_of(day: str) -> int:
    return _millis(datetime.combine(date.fromisoformat(day), datetime.min.time(), _ZONE))


def _millis(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND

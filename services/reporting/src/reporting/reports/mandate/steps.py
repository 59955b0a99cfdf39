"""When a step was taken: by the day on its paper, else by the day of its entry. What was taken once stays taken.

A survey is approved, a plan agreed, a proposal submitted or carried out. One that was returned, taken back, corrected
or restored after that keeps the day on which it was taken first, and says so.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from reporting.domain.instants import Millis, millis, start_of
from reporting.domain.mandate.obligations import Evidence, Kept
from reporting.storage.mandate.records import Record
from vonggac.events.inventory import PlanStatus, ProposalStatus, SurveyStatus


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
    ProposalStatus.SUBMITTED.value, ProposalStatus.APPROVED.value, ProposalStatus.FUNDED.value,
}  # fmt: skip
SUBMITTED = Step(
    "proposal", _SUBMITTED, "status_since", ("signed_on", "decision_date"), ("document_number", "decision_number")
)
INSTALLED = Step("proposal", _INSTALLED, "status_since", ("installed_on",))


def find_step(noun: str, versions: Sequence[Record], step: Step, at: Millis) -> Evidence | None:
    """The step as it was taken first by `at`; None: it was not. `versions`: every revision of the thing up to `at`."""
    taken = [one for one in versions if one.state["status"] in step.states and _entered_at(one, step) is not None]
    if not taken:
        return None
    recorded_at = min(entered for one in taken if (entered := _entered_at(one, step)) is not None)
    if recorded_at > at:
        return None
    last = taken[-1]
    paper = next((day for name in step.papers if (day := last.state.get(name)) is not None), None)
    number = next((one for name in step.numbers if (one := last.state.get(name)) is not None), None)
    on_paper = None if paper is None else start_of(date.fromisoformat(paper))
    return Evidence(
        step.kind,
        last.id,
        last.state.get("code"),
        recorded_at if on_paper is None else on_paper,
        None if on_paper is None else recorded_at,
        None if on_paper is None else number,
        _kept(versions, taken, step),
    )


def find_entry(noun: str, versions: Sequence[Record], step: Step, at: Millis) -> Evidence | None:
    """The step as rules 4 and before have it: by the day of its entry, and only while the thing is in the state."""
    since: Record | None = None
    for one in versions:
        if one.state["status"] not in step.states:
            since = None
        elif since is None:
            since = one
    entered = None if since is None else _entered_at(since, step)
    if entered is None or entered > at:
        return None
    return Evidence(step.kind, versions[-1].id, versions[-1].state.get("code"), entered)


def _kept(versions: Sequence[Record], taken: Sequence[Record], step: Step) -> Kept | None:
    if versions[-1] is not taken[-1]:
        return Kept.RETURNED
    since = versions.index(taken[0])
    if any(one.state["status"] not in step.states for one in versions[since:]):
        return Kept.RESTORED
    days = {tuple(one.state.get(name) for name in step.papers) for one in taken}
    return Kept.CORRECTED if len(days) > 1 else None


def _entered_at(one: Record, step: Step) -> Millis | None:
    given = one.state.get(step.entered) or (one.state["status_since"] if step is not AGREED else None)
    return None if given is None else instant(given)


def instant(text: str) -> Millis:
    """An instant of the register, as it stands in a record."""
    return millis(datetime.fromisoformat(text))

"""When a step was taken: by the day on its paper, else by the day of its entry. What was taken once stays taken.

A survey is approved, a plan agreed, a proposal submitted or carried out. One that was returned, taken back, corrected
or restored after that keeps the day on which it was taken first, and says so.
"""

from collections.abc import Sequence
from datetime import datetime

from reporting.domain.instants import Millis, millis
from reporting.domain.mandate.obligations import Evidence, Kept
from reporting.storage.mandate.records import Record
from vonggac.mandate.paper_steps import Step, entered_at, find_taken


def find_step(noun: str, versions: Sequence[Record], step: Step, at: Millis) -> Evidence | None:
    """Find the step as first taken by `at`; None: it was not. `versions`: every revision of the thing up to `at`."""
    found = find_taken([one.state for one in versions], step, at)
    if found is None:
        return None
    taken = [one for one in versions if one.state["status"] in step.states and entered_at(one.state, step) is not None]
    last = taken[-1]
    return Evidence(
        step.kind,
        last.id,
        last.state.get("code"),
        found.at,
        None if found.on_paper is None else found.recorded_at,
        found.number,
        _kept(versions, taken, step),
    )


def find_entry(noun: str, versions: Sequence[Record], step: Step, at: Millis) -> Evidence | None:
    """Find the step as rules 4 and before have it: by the day of its entry, only while the thing is in the state."""
    since: Record | None = None
    for one in versions:
        if one.state["status"] not in step.states:
            since = None
        elif since is None:
            since = one
    entered = None if since is None else entered_at(since.state, step)
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


def instant(text: str) -> Millis:
    """Parse an instant of the register, as it stands in a record."""
    return millis(datetime.fromisoformat(text))

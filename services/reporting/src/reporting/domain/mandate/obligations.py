"""How an obligation stands for one facility at an instant (R05, R06), by its deadline and the facts of that instant.

"Trước ngày 10/5/2021" is strictly before 10/5/2021 00:00 in Asia/Ho_Chi_Minh: who is done at that instant is late, a
millisecond before it is in time. What people settled on record waives an obligation; it makes one done only where
nothing can be observed: of a survey, a plan, a connection, a proposal or cameras the facts decide.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from reporting.domain.instants import Millis
from vonggac.events.inventory import ObligationKind, ObligationStatus
from vonggac.mandate.facility_history import DAY, start_of_day

ADDRESSEES = ("Ủy ban nhân dân tỉnh Quảng Trị", "Bộ Thông tin và Truyền thông")
"""Letter 1742/UBND-VX, point 1: the department reports the result to the People's Committee and the Ministry."""
DUE_SOON_DAYS = 3
"""Before a deadline, unless the question says otherwise."""


class DueState(StrEnum):
    """How a duty stands at an instant."""

    OPEN = "open"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    DONE = "done"
    DONE_LATE = "done_late"
    WAIVED = "waived"


PENDING = frozenset({DueState.OPEN, DueState.DUE_SOON, DueState.OVERDUE})


class Deadline(NamedTuple):
    """One dated entry; `due_before` None: no deadline. None is ever overwritten."""

    due_before: Millis | None
    set_at: Millis
    set_by: str | None
    reason: str | None
    directive_id: UUID | None


@dataclass(frozen=True, slots=True)
class Obligation:
    """What a directive demands, as the register had it at the instant of the question."""

    id: UUID
    code: str
    name: str
    kind: ObligationKind
    directive_id: UUID
    responsible_agency_id: UUID
    status: ObligationStatus
    deadlines: tuple[Deadline, ...]
    facility_types: AbstractSet[str] = frozenset()
    managing_agency_id: UUID | None = None
    unit_id: UUID | None = None
    with_cameras: bool | None = None
    facility_ids: AbstractSet[UUID] = frozenset()
    every_days: int | None = None
    due_after_days: int | None = None
    """So many days of its own has a facility that comes under it after the directive's day."""
    completed_at: Millis | None = None
    settled_by: str | None = None
    settled_reason: str | None = None
    changed_at: Millis = 0

    def deadline_at(self, instant: Millis) -> Millis | None:
        """Find the deadline that held then: the last that was set; before the first entry, the first."""
        if not self.deadlines:
            return None
        return next((one for one in reversed(self.deadlines) if one.set_at <= instant), self.deadlines[0]).due_before


class Kept(StrEnum):
    """Why a step counts from the day on which it was taken first."""

    RETURNED = "returned"
    """It was returned, or taken back, after it was taken."""
    RESTORED = "restored"
    """It was taken again after that."""
    CORRECTED = "corrected"
    """What it says was corrected after it was taken."""


class Evidence(NamedTuple):
    """One fact of the register or of the accounts that speaks for an obligation. `at` None: it is not there yet."""

    kind: str
    """survey, connection_plan, connection, proposal, coverage, focal_point, inspection or register."""
    id: UUID | None
    code: str | None
    at: Millis | None
    """The day on paper where it has one, else when it was entered or observed."""
    recorded_at: Millis | None = None
    """When it was entered or observed; None: `at`."""
    document: str | None = None
    """Number of its document, as printed."""
    kept: Kept | None = None
    """Why it still counts though it is not in that state any more, or was not all the time."""

    @property
    def entered_at(self) -> Millis | None:
        return self.at if self.recorded_at is None else self.recorded_at


class Finding(NamedTuple):
    """What speaks for an obligation at one facility; `met_at` is when the last that was needed came, None before."""

    met_at: Millis | None
    evidence: tuple[Evidence, ...]

    @property
    def recorded_at(self) -> Millis | None:
        """When all of it was on record; None before."""
        entered = [one.entered_at for one in self.evidence if one.entered_at is not None]
        return None if self.met_at is None else max(entered, default=self.met_at)


NOTHING = Finding(None, ())
OBSERVABLE = frozenset(ObligationKind) - {ObligationKind.REPORT, ObligationKind.OTHER}
"""Kinds that the facts decide; of the others the register's word is all there is."""


class DueStatus(NamedTuple):
    """How the obligation stands; `done_at` only where it is done."""

    state: DueState
    due_before: Millis | None
    done_at: Millis | None
    by: str | None
    why: str | None


class Due(NamedTuple):
    """A deadline that a facility has of its own; None: it has none."""

    before: Millis | None


def decide(
    obligation: Obligation, finding: Finding, now: Millis, *, soon: Millis = DUE_SOON_DAYS * DAY, own: Due | None = None
) -> DueStatus:
    """Decide the state at `now`. `soon`: how long before its deadline an open one is due soon. `own`: instead of the
    obligation's deadline."""
    due_before = obligation.deadline_at(now) if own is None else own.before
    # A first revision heard of late says nothing of the time before its change: it excuses nothing.
    settled = obligation.status if obligation.changed_at <= now else ObligationStatus.OPEN
    if settled is ObligationStatus.WAIVED:
        return DueStatus(DueState.WAIVED, due_before, None, obligation.settled_by, obligation.settled_reason)
    met_at = finding.met_at
    if obligation.kind not in OBSERVABLE and settled is not ObligationStatus.OPEN:
        met_at = obligation.completed_at
    if obligation.every_days is not None:
        return _repeated(obligation.every_days, met_at, due_before, now, soon)
    if met_at is not None and met_at <= now:
        state = DueState.DONE if due_before is None or met_at < due_before else DueState.DONE_LATE
        return DueStatus(state, due_before, met_at, obligation.settled_by, obligation.settled_reason)
    return DueStatus(by_clock(due_before, now, soon), due_before, None, None, None)


def by_clock(due_before: Millis | None, now: Millis, soon: Millis) -> DueState:
    """Decide by the clock alone whether what is not done is open, due soon or overdue."""
    if due_before is None or now < due_before - soon:
        return DueState.OPEN
    return DueState.DUE_SOON if now < due_before else DueState.OVERDUE


def _repeated(
    every_days: int, last_at: Millis | None, first_due: Millis | None, now: Millis, soon: Millis
) -> DueStatus:
    """Due again by the end of the day `every_days` after the one that it was done last: never done for good."""
    due_before = first_due if last_at is None else start_of_day(last_at) + (every_days + 1) * DAY
    return DueStatus(by_clock(due_before, now, soon), due_before, None, None, None)


def last_of(needed: Sequence[Evidence]) -> Finding:
    """All of them are needed: met when the last of them came."""
    instants = [one.at for one in needed]
    found = [at for at in instants if at is not None]
    return Finding(max(found) if needed and len(found) == len(instants) else None, tuple(needed))

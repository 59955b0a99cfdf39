"""Every obligation at every facility that it is about: how it stands at an instant, with its evidence (R05, R06, R11).

A report that names no facilities is owed once, for the province: its item has no facility.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.domain.mandate.obligations import (
    DUE_SOON_DAYS,
    NOTHING,
    OBSERVABLE,
    Deadline,
    Due,
    DueState,
    DueStatus,
    Evidence,
    Finding,
    Obligation,
    decide,
)
from reporting.domain.scope import Facility, Named
from reporting.reports.mandate.connections import first_connected
from reporting.reports.mandate.findings import Facts, start_of
from reporting.reports.mandate.situation import FacilityThen, Situation, areas_of
from reporting.reports.mandate.steps import instant
from reporting.storage.mandate.records import Record, Records
from vonggac.decree.citation import cite
from vonggac.events.inventory import ObligationKind, ObligationStatus
from vonggac.mandate.duty_time import covers, find_duty
from vonggac.mandate.facility_history import BOUND, DAY
from vonggac.telemetry.garbage_collection import rarely_collected


class Item(NamedTuple):
    """One obligation at one facility; of the whole province where that is None."""

    facility: Facility | None
    obligation: Obligation
    directive: str | None
    """Number of the directive, as printed."""
    responsible: Named
    due: DueStatus
    evidence: tuple[Evidence, ...]
    recorded_at: Millis | None = None
    """When what makes it done was on record; None: it is not done."""
    own_deadline: bool = False
    """Whether the deadline is the facility's own: it came under the obligation after the directive's day."""
    since: Millis | None = None
    """Since when the facility comes under it."""

    citation: str | None = None
    """The directive in full: kind, number, day, issuer, subject."""

    @property
    def recorded_late(self) -> bool:
        """Done in time by its paper, and entered at the deadline or later."""
        due_before, recorded_at = self.due.due_before, self.recorded_at
        if self.due.state is not DueState.DONE or due_before is None or recorded_at is None:
            return False
        return recorded_at >= due_before


@dataclass(frozen=True, slots=True)
class Duties:
    """All items at the instant, in the order of the facilities, then of the obligations' codes."""

    facts: Facts
    obligations: tuple[Obligation, ...]
    items: tuple[Item, ...]

    def overdue(self) -> dict[UUID, tuple[str, ...]]:
        """Codes of what is overdue, by facility."""
        found: dict[UUID, list[str]] = {}
        for one in self.items:
            if one.due.state is DueState.OVERDUE and one.facility is not None:
                found.setdefault(one.facility.id, []).append(one.obligation.code)
        return {key: tuple(sorted(codes)) for key, codes in found.items()}


type _Pairs = Sequence[tuple[FacilityThen, Obligation]]
"""Every facility with every obligation that it may have."""


async def duties(
    session: AsyncSession, situation: Situation, *, soon_days: int = DUE_SOON_DAYS, by_entry: bool = False
) -> Duties:
    """How every obligation stands at the instant of the situation. `by_entry`: as rules 4 and before had it."""
    with rarely_collected():
        known = _list_obligations(situation)
        about = _about(situation, known)
        asked = sorted({then.facility.id for then, one in about if one.kind is ObligationKind.CONNECTION}, key=str)
        connected: dict[UUID, Millis] = {}
        if asked:
            areas = areas_of(situation)
            connected = await first_connected(session, asked, situation.at, situation.presumed_alive_ms, areas)
        facts = Facts.gather(situation, connected, by_entry=by_entry)
        return _find_duties(facts, known, about, soon_days)


def assess_duties(situation: Situation, connected: Mapping[UUID, Millis], *, soon_days: int = DUE_SOON_DAYS) -> Duties:
    """Assess the same of what is at hand. `connected`: since when each facility was first connected for good."""
    known = _list_obligations(situation)
    return _find_duties(Facts.gather(situation, connected), known, _about(situation, known), soon_days)


def _find_duties(facts: Facts, known: tuple[Obligation, ...], about: _Pairs, soon_days: int) -> Duties:
    found = (_item(facts, then, one, soon_days * DAY) for then, one in about)
    items = [one for one in found if one is not None]
    if facts.situation.scope.everything:
        items += [_of_nobody(facts, one, soon_days * DAY) for one in known if _of_the_province(one)]
    return Duties(facts, known, tuple(items))


def _list_obligations(situation: Situation) -> tuple[Obligation, ...]:
    records = sorted(situation.records.at("obligation", situation.at), key=lambda one: str(one.state["code"]))
    return tuple(obligation_of(one) for one in records)


def _about(situation: Situation, known: Iterable[Obligation]) -> _Pairs:
    """Every facility with every obligation that was about it at some moment."""
    of_facilities = [one for one in known if not _of_the_province(one)]
    return [
        (then, one)
        for then in situation.facilities
        if then.status in BOUND
        for one in of_facilities
        if any(covers(one, place) for _, _, place in then.history)
    ]


def _of_the_province(obligation: Obligation) -> bool:
    return obligation.kind is ObligationKind.REPORT and not obligation.facility_ids


def _item(facts: Facts, then: FacilityThen, obligation: Obligation, soon: Millis) -> Item | None:
    """None: the facility does not owe it, or not any more."""
    now = facts.situation.at
    finding = facts.finding(obligation, then)
    met_at = obligation.completed_at if obligation.kind not in OBSERVABLE else finding.met_at
    if facts.by_entry:
        if not covers(obligation, then.place):
            return None
        return _made(facts, obligation, then.facility, decide(obligation, finding, now, soon=soon), finding)
    duty = find_duty(
        obligation,
        obligation.deadline_at(now),
        then.history,
        directive_day=_directive_day(facts, obligation),
        met_at=met_at,
        now=now,
    )
    if duty is None:
        return None
    due = decide(obligation, finding, now, soon=soon, own=Due(duty.due_before))
    made = _made(facts, obligation, then.facility, due, finding)
    return made._replace(own_deadline=duty.own, since=duty.since)


def _of_nobody(facts: Facts, obligation: Obligation, soon: Millis) -> Item:
    """Assess what is owed once, for the province."""
    due = decide(obligation, NOTHING, facts.situation.at, soon=soon)
    return _made(facts, obligation, None, due, NOTHING)


def _made(facts: Facts, obligation: Obligation, facility: Facility | None, due: DueStatus, finding: Finding) -> Item:
    situation, evidence = facts.situation, finding.evidence
    if obligation.status is not ObligationStatus.OPEN:
        settled = Evidence("register", obligation.id, obligation.code, obligation.completed_at, obligation.changed_at)
        evidence = (*evidence, settled)
    directive = situation.records.find_version("directive", obligation.directive_id, situation.at)
    agency = situation.records.find_version("agency", obligation.responsible_agency_id, situation.at)
    responsible = Named(
        obligation.responsible_agency_id,
        None if agency is None else agency.state["code"],
        None if agency is None else agency.state["name"],
    )
    number = None if directive is None else str(directive.state["number"])
    recorded_at = finding.recorded_at if obligation.kind in OBSERVABLE else obligation.changed_at
    recorded = None if due.done_at is None else recorded_at
    citation = citation_of(facts.situation.records, directive, facts.situation.at)
    return Item(facility, obligation, number, responsible, due, evidence, recorded, citation=citation)


def _directive_day(facts: Facts, obligation: Obligation) -> Millis | None:
    """Find the day of the directive; None: it is not known."""
    situation = facts.situation
    directive = situation.records.find_version("directive", obligation.directive_id, situation.at)
    day = None if directive is None else directive.state.get("issued_on")
    return None if day is None else start_of(day)


def citation_of(known: Records, directive: Record | None, at: Millis) -> str | None:
    """Write a document's first citation (Decree 30/2020): `Công văn số 1742/UBND-VX ngày 07/5/2021 của … về việc …`."""
    if directive is None:
        return None
    state = directive.state
    issuer = None
    if state.get("issuer_id") is not None:
        issuer = known.find_version("agency", UUID(state["issuer_id"]), at)
    issued_on = state.get("issued_on")
    return cite(
        str(state["number"]),
        None if issued_on is None else date.fromisoformat(issued_on),
        None if issuer is None else str(issuer.state["name"]),
        state.get("subject"),
    )


def obligation_of(record: Record) -> Obligation:
    """Build an obligation out of its record."""
    state = record.state
    return Obligation(
        record.id,
        state["code"],
        state["name"],
        ObligationKind(state["kind"]),
        UUID(state["directive_id"]),
        UUID(state["responsible_agency_id"]),
        ObligationStatus(state["status"]),
        tuple(_deadlines(state["deadlines"])) or _only(record),
        frozenset(state["facility_types"]),
        _id(state["managing_agency_id"]),
        _id(state["unit_id"]),
        state["with_cameras"],
        frozenset(UUID(one) for one in state["facility_ids"]),
        state["every_days"],
        state.get("due_after_days"),
        None if state["completed_at"] is None else instant(state["completed_at"]),
        state["settled_by"],
        state["settled_reason"],
        record.changed_at,
    )


def _deadlines(entries: Iterable[dict[str, Any]]) -> Iterable[Deadline]:
    for one in entries:
        due_before = None if one["due_before"] is None else instant(one["due_before"])
        yield Deadline(due_before, instant(one["set_at"]), one["set_by"], one["reason"], _id(one["directive_id"]))


def _only(record: Record) -> tuple[Deadline, ...]:
    """Build the deadline of an obligation that lists no entries: the one that it has."""
    due_before = record.state["due_before"]
    found = None if due_before is None else instant(due_before)
    return (Deadline(found, record.changed_at, record.changed_by, record.reason, None),)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)

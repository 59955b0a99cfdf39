"""Every obligation at every facility that it is about: how it stands at an instant, with its evidence (R05, R06, R11).

A report that names no facilities is owed once, for the province: its item has no facility.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.domain.mandate.obligations import (
    DAY,
    DUE_SOON_DAYS,
    NOTHING,
    Deadline,
    DueState,
    DueStatus,
    Evidence,
    Obligation,
    covers,
    decide,
)
from reporting.domain.scope import Facility, Named
from reporting.reports.mandate.connections import first_connected
from reporting.reports.mandate.findings import Facts, instant
from reporting.reports.mandate.situation import FacilityThen, Situation, areas_of
from reporting.storage.mandate.records import Record
from vonggac.events.inventory import ObligationKind, ObligationStatus
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


async def duties(session: AsyncSession, situation: Situation, *, soon_days: int = DUE_SOON_DAYS) -> Duties:
    """How every obligation stands at the instant of the situation."""
    with rarely_collected():
        known = _known(situation)
        about = _about(situation, known)
        asked = sorted({then.facility.id for then, one in about if one.kind is ObligationKind.CONNECTION}, key=str)
        connected: dict[UUID, Millis] = {}
        if asked:
            areas = areas_of(situation)
            connected = await first_connected(session, asked, situation.at, situation.presumed_alive_ms, areas)
        return _owed(Facts.gather(situation, connected), known, about, soon_days)


def owed(situation: Situation, connected: Mapping[UUID, Millis], *, soon_days: int = DUE_SOON_DAYS) -> Duties:
    """The same of what is at hand. `connected`: since when each facility was first connected for good."""
    known = _known(situation)
    return _owed(Facts.gather(situation, connected), known, _about(situation, known), soon_days)


def _owed(facts: Facts, known: tuple[Obligation, ...], about: _Pairs, soon_days: int) -> Duties:
    items = [_item(facts, then, one, soon_days * DAY) for then, one in about]
    if facts.situation.scope.everything:
        items += [_item(facts, None, one, soon_days * DAY) for one in known if _of_the_province(one)]
    return Duties(facts, known, tuple(items))


def _known(situation: Situation) -> tuple[Obligation, ...]:
    records = sorted(situation.records.at("obligation", situation.at), key=lambda one: str(one.state["code"]))
    return tuple(obligation_of(one) for one in records)


def _about(situation: Situation, known: Iterable[Obligation]) -> _Pairs:
    """Every facility with every obligation that is about it."""
    of_facilities = [one for one in known if not _of_the_province(one)]
    return [(then, one) for then in situation.facilities for one in of_facilities if covers(one, then.place)]


def _of_the_province(obligation: Obligation) -> bool:
    return obligation.kind is ObligationKind.REPORT and not obligation.facility_ids


def _item(facts: Facts, then: FacilityThen | None, obligation: Obligation, soon: Millis) -> Item:
    situation = facts.situation
    finding = NOTHING if then is None else facts.finding(obligation, then)
    due = decide(obligation, finding, situation.at, soon=soon)
    evidence = finding.evidence
    if obligation.status is not ObligationStatus.OPEN:
        evidence = (*evidence, Evidence("register", obligation.id, obligation.code, obligation.completed_at))
    directive = situation.records.named("directive", obligation.directive_id, situation.at)
    agency = situation.records.named("agency", obligation.responsible_agency_id, situation.at)
    responsible = Named(
        obligation.responsible_agency_id,
        None if agency is None else agency.state["code"],
        None if agency is None else agency.state["name"],
    )
    number = None if directive is None else str(directive.state["number"])
    return Item(None if then is None else then.facility, obligation, number, responsible, due, evidence)


def obligation_of(record: Record) -> Obligation:
    """An obligation out of its record."""
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
    """An obligation that lists no entries: the deadline that it has."""
    due_before = record.state["due_before"]
    found = None if due_before is None else instant(due_before)
    return (Deadline(found, record.changed_at, record.changed_by, record.reason, None),)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)

"""What each facility was, moment by moment, and which steps it took on paper: what its duties follow from (R05, R06).

Read from the register's own history, by the rule that reporting goes by too (`vonggac.mandate.duty_time`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.mandate.facilities import load_unit_links
from inventory.domain.days import start_of
from inventory.domain.mandate.planning.plan import find_agreed_day
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import (
    HISTORY,
    Camera,
    ConnectionPlan,
    Directive,
    Facility,
    FocalPoint,
    InstallationProposal,
    Survey,
    Thing,
)
from vonggac.auth.succession import UnitLinks, units_around
from vonggac.events.inventory import ObligationKind, SurveyStatus, SurveyVerdict
from vonggac.mandate.facility_history import CameraStay, History, Millis, Place, SiteRecord, history_of
from vonggac.mandate.paper_steps import AGREED, APPROVED, INSTALLED, SUBMITTED, Revisions, Step, find_naming, find_taken

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
FOREVER: Millis = 1 << 62
STEPS: Mapping[ObligationKind, tuple[tuple[type[Thing], Step], ...]] = {
    ObligationKind.SURVEY_AND_PLAN: ((Survey, APPROVED), (ConnectionPlan, AGREED)),
    ObligationKind.PROPOSAL: ((InstallationProposal, SUBMITTED),),
    ObligationKind.INSTALLATION: ((InstallationProposal, INSTALLED),),
}
"""What is needed on paper, all of it, by the kind of the obligation."""
_DAYS = ("signed_on", "decision_date", "installed_on")
_INSTANTS = ("status_since", "approved_at", "agreed_at")


def to_millis(at: datetime) -> Millis:
    """Convert an aware instant to milliseconds since 1970."""
    return (at - _EPOCH) // _MILLISECOND


def to_instant(at: Millis) -> datetime:
    """Milliseconds since 1970 as an aware instant, UTC."""
    return _EPOCH + at * _MILLISECOND


class Officer(NamedTuple):
    """A focal point: in office in [begins, ends), and since when it counts as named."""

    begins: Millis
    ends: Millis
    named_at: Millis


@dataclass(frozen=True, slots=True)
class Site:
    """A facility that the reader sees: what it was, and the revisions of its papers by kind of thing."""

    id: UUID
    history: History
    papers: Mapping[type[Thing], Sequence[Revisions]]
    focal_points: Sequence[Officer] = ()

    def met_at(self, kind: ObligationKind, now: Millis) -> Millis | None:
        """When the last step that an obligation of this kind needs was taken; None: not yet, or papers do not say."""
        if kind is ObligationKind.FOCAL_POINT:
            return self._named_at(now)
        steps = STEPS.get(kind, ())
        found = [self._taken_at(thing, step, now) for thing, step in steps]
        taken = [at for at in found if at is not None]
        return max(taken) if taken and len(taken) == len(found) else None

    def _named_at(self, now: Millis) -> Millis | None:
        """When the first focal point was named; None while nobody is in office (R17)."""
        if not any(one.begins <= now < one.ends for one in self.focal_points):
            return None
        return min(one.named_at for one in self.focal_points)

    def _taken_at(self, thing: type[Thing], step: Step, now: Millis) -> Millis | None:
        found = (find_taken(one, step, now) for one in self.papers.get(thing, ()))
        return min((one.at for one in found if one is not None), default=None)


async def load_sites(session: AsyncSession, recorded: Recorded, facility_id: UUID | None) -> list[Site]:
    """Load the facilities in force that the reader sees, by code; or this one of them."""
    seen = recorded.in_force(Facility)
    query = select(seen.c.id).order_by(seen.c.code)
    if facility_id is not None:
        query = query.where(seen.c.id == facility_id)
    ids = list(await session.scalars(query))
    around = await load_unit_links(session, recorded)
    stays = await _load_stays(session, recorded, ids)
    kinds: tuple[type[Thing], ...] = (Survey, ConnectionPlan, InstallationProposal)
    papers = {kind: await _load_papers(session, recorded, kind, ids) for kind in kinds}
    officers = await _load_officers(session, recorded, ids)
    versions: dict[UUID, list[Any]] = {}
    for row in await _load_revisions(session, recorded, Facility, ids):
        versions.setdefault(row.id, []).append(row)
    sites = []
    for one in ids:
        own = {kind: list(of_kind.get(one, {}).values()) for kind, of_kind in papers.items()}
        rows = versions.get(one, [])
        dated = [
            (to_millis(row.recorded_from), _end_of(row.recorded_to, recorded), _to_place(row, around)) for row in rows
        ]
        history = history_of(dated, stays.get(one, ()), _to_site(own, rows)) if rows else []
        sites.append(Site(one, history, own, officers.get(one, ())))
    return sites


async def load_directive_days(session: AsyncSession, recorded: Recorded) -> Mapping[UUID, Millis]:
    """Load the day of each directive as its first instant; whoever reads what it demands knows its day."""
    rows = await _load_revisions(session, recorded, Directive, None)
    return {row.id: _first_of(row.issued_on) for row in rows}


def _to_place(row: Any, around: Mapping[UUID, UnitLinks]) -> Place:
    """Without its cameras."""
    units = units_around(row.unit_id, around)
    return Place(row.id, row.type, row.status, row.managing_agency_id, units, has_cameras=False)


def _to_site(papers: Mapping[type[Thing], Sequence[Revisions]], rows: Sequence[Any]) -> SiteRecord:
    """`rows`: the revisions of the facility."""
    proposals = [one[-1] for one in papers.get(InstallationProposal, ())]
    surveys = [one[-1] for one in papers.get(Survey, ()) if one[-1]["status"] == SurveyStatus.APPROVED]
    with_none = [one for one in surveys if one["verdict"] == SurveyVerdict.NONE]
    with_some = [one for one in surveys if one["verdict"] != SurveyVerdict.NONE]
    founded_on = rows[-1].decision_date or rows[-1].valid_from
    return SiteRecord(
        None if founded_on is None else _first_of(founded_on),
        to_millis(rows[0].recorded_from),
        _days_of(proposals, "installed_on"),
        _days_of(with_some, "surveyed_on"),
        _days_of(with_none, "surveyed_on"),
    )


def _days_of(papers: Sequence[Mapping[str, Any]], name: str) -> tuple[Millis, ...]:
    return tuple(sorted(_first_of(date.fromisoformat(one[name])) for one in papers if one[name] is not None))


async def _load_revisions(
    session: AsyncSession, recorded: Recorded, kind: type[Thing], ids: Sequence[UUID] | None, by: str = "id"
) -> Sequence[Any]:
    """Every revision that was on record at some moment until the instant, of what is still on record then."""
    table = HISTORY[kind]
    query = select(table).where(_begun(table, recorded)).order_by(table.c.id, table.c.recorded_from)
    if ids is not None:
        query = query.where(table.c[by].in_(ids))
    there = select(table.c.id).where(_begun(table, recorded), _not_over(table, recorded))
    return (await session.execute(query.where(table.c.id.in_(there)))).all()


def _begun(table: Any, recorded: Recorded) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = table.c.recorded_to.is_(None) | (table.c.recorded_to > table.c.recorded_from)
    return condition if recorded.as_of is None else and_(condition, table.c.recorded_from <= recorded.as_of)


def _not_over(table: Any, recorded: Recorded) -> ColumnElement[bool]:
    present: ColumnElement[bool] = table.c.recorded_to.is_(None)
    return present if recorded.as_of is None else or_(present, table.c.recorded_to > recorded.as_of)


def _end_of(recorded_to: datetime | None, recorded: Recorded) -> Millis:
    if recorded_to is None or (recorded.as_of is not None and recorded_to > recorded.as_of):
        return FOREVER
    return to_millis(recorded_to)


async def _load_stays(
    session: AsyncSession, recorded: Recorded, facility_ids: Sequence[UUID]
) -> Mapping[UUID, list[CameraStay]]:
    """Of each facility, the cameras that were on record there at some moment; those in force where a day is asked."""
    table = HISTORY[Camera]
    grouped = (
        select(
            table.c.id,
            table.c.facility_id,
            func.min(table.c.recorded_from).label("since"),
            func.max(table.c.recorded_to).label("until"),
            func.bool_or(table.c.recorded_to.is_(None)).label("goes_on"),
            func.array_agg(aggregate_order_by(table.c.valid_from, table.c.recorded_from)).label("days"),
        )
        .where(_begun(table, recorded))
        .group_by(table.c.id, table.c.facility_id)
    )
    if recorded.valid_on is not None:
        in_force = recorded.in_force(Camera)
        grouped = grouped.where(table.c.id.in_(select(in_force.c.id)))
    rows = (await session.execute(grouped)).all()
    first: dict[UUID, datetime] = {}
    for row in rows:
        first[row.id] = min(row.since, first.get(row.id, row.since))
    found: dict[UUID, list[CameraStay]] = {}
    wanted = set(facility_ids)
    for row in rows:
        if row.facility_id not in wanted:
            continue
        end = FOREVER if row.goes_on else _end_of(row.until, recorded)
        installed_at = None if row.days[-1] is None else _first_of(row.days[-1])
        stay = CameraStay(to_millis(row.since), end, installed_at, row.since > first[row.id])
        found.setdefault(row.facility_id, []).append(stay)
    return found


async def _load_papers(
    session: AsyncSession, recorded: Recorded, kind: type[Thing], facility_ids: Sequence[UUID]
) -> Mapping[UUID, Mapping[UUID, list[Mapping[str, Any]]]]:
    """Every revision of these papers, by facility and thing, its values as in its message."""
    found: dict[UUID, dict[UUID, list[Mapping[str, Any]]]] = {}
    for row in await _load_revisions(session, recorded, kind, facility_ids, by="facility_id"):
        found.setdefault(row.facility_id, {}).setdefault(row.id, []).append(_to_state(kind, row))
    return found


async def _load_officers(
    session: AsyncSession, recorded: Recorded, facility_ids: Sequence[UUID]
) -> Mapping[UUID, list[Officer]]:
    """Load the focal points on record at the instant, by facility; each entered when it came to that facility."""
    rows = await _load_revisions(session, recorded, FocalPoint, None)
    last = {row.id: row for row in rows}
    wanted = set(facility_ids)
    entered: dict[UUID, Millis] = {}
    for row in rows:
        if row.facility_id == last[row.id].facility_id:
            entered.setdefault(row.id, to_millis(row.recorded_from))
    found: dict[UUID, list[Officer]] = {}
    for row in last.values():
        if row.facility_id in wanted:
            ends = FOREVER if row.valid_to is None else _first_of(row.valid_to + timedelta(days=1))
            named = find_naming(_to_naming(row), entered[row.id])
            found.setdefault(row.facility_id, []).append(Officer(_first_of(row.valid_from), ends, named.at))
    return found


def _to_naming(row: Any) -> Mapping[str, Any]:
    """As in its message."""
    days = {name: getattr(row, name) for name in ("valid_from", "appointment_signed_on")}
    found = {name: None if day is None else day.isoformat() for name, day in days.items()}
    return {**found, "appointment_document": row.appointment_document}


def _to_state(kind: type[Thing], row: Any) -> Mapping[str, Any]:
    values = row._mapping
    state: dict[str, Any] = {"status": row.status.value}
    for name in (*_DAYS, *_INSTANTS, "surveyed_on"):
        value = values.get(name)
        state[name] = None if value is None else value.isoformat()
    if kind is ConnectionPlan:
        agreed_on = find_agreed_day(row.signed_on, row.consents)
        state["agreed_on"] = None if agreed_on is None else agreed_on.isoformat()
    if kind is Survey:
        state["verdict"] = row.verdict
    return state


def _first_of(day: date) -> Millis:
    return to_millis(start_of(day))

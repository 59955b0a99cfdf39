"""The province at an instant: facilities with the names of then, their cameras' word of the accounts, the register.

Progress, obligations, deviations and inspections read it, so that they agree.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import VIETNAM, Millis, moment, start_of
from reporting.domain.mandate.connection import NOT_CONNECTED, Connection, of_camera
from reporting.domain.mandate.progress import CameraProgress
from reporting.domain.scope import Camera, Facility, FacilityVersion, Named, Reason, version_at
from reporting.domain.segments import Period, Segment, value_at
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import CameraMoment, Question, moments
from reporting.storage import plan
from reporting.storage.mandate import lifecycle, records, units
from reporting.storage.mandate.records import Record, Records
from reporting.storage.mandate.stays import camera_stays
from reporting.storage.mandate.stays import founded as load_founding
from vonggac.auth.succession import UnitLinks, units_around
from vonggac.events.inventory import SurveyStatus, SurveyVerdict
from vonggac.mandate.facility_history import History, Place, SiteRecord, history_of
from vonggac.telemetry.garbage_collection import rarely_collected

NOUNS = (
    "agency",
    "blocked_reason",
    "camera",
    "connection_plan",
    "coverage",
    "directive",
    "focal_point",
    "inspection",
    "installation_proposal",
    "obligation",
    "plan_exception",
    "survey",
    "unit",
)


@dataclass(frozen=True, slots=True)
class FacilityThen:
    """One facility as it was at the instant, under the names of then."""

    facility: Facility
    status: str
    active_since: Millis | None
    """The beginning of its present active time; None while it is not active."""
    place: Place
    cameras: tuple[CameraMoment, ...]
    """Empty in a situation of record."""
    history: History
    """What it was, moment by moment, as it was on record at the instant; dated by its papers where it has them."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All facilities of a scope in the order of the reports (unit, code), and the register up to the instant."""

    at: Millis
    presumed_alive_ms: Millis
    facilities: tuple[FacilityThen, ...]
    records: Records
    scope: plan.Scope

    def by_facility(self, noun: str) -> Mapping[UUID, list[Record]]:
        """Group what held of a noun at the instant by facility."""
        found: dict[UUID, list[Record]] = {}
        for record in self.records.at(noun, self.at):
            if record.facility_id is not None:
                found.setdefault(record.facility_id, []).append(record)
        return found


async def situation(
    session: AsyncSession, at: Millis, presumed_alive_ms: Millis, scope: plan.Scope, nouns: Sequence[str] = NOUNS
) -> Situation:
    """Read what was so at `at`, as far as it is known today; states recorded after it are not in it. `nouns`: of the
    register."""
    question = Question(Period(at, at + 1), at, presumed_alive_ms)
    with rarely_collected():
        places = await plan.places(session, scope, question.period)
        cameras = [one for one in await plan.cameras(session, places) if _exists(one)]
        stationed: dict[UUID, list[CameraMoment]] = {}
        async for portion in moments(session, question, cameras, list):
            for one in portion:
                stationed.setdefault(one.camera.facility.id, []).append(one)
        return await _situation(session, places, presumed_alive_ms, scope, stationed.keys(), stationed, nouns)


async def situation_of_record(
    session: AsyncSession, at: Millis, presumed_alive_ms: Millis, scope: plan.Scope, nouns: Sequence[str] = NOUNS
) -> Situation:
    """Read the same without the cameras' states, for what asks the register alone: `nouns` of it."""
    with rarely_collected():
        places = await plan.places(session, scope, Period(at, at + 1))
        there = await plan.with_cameras(session, at)
        return await _situation(session, places, presumed_alive_ms, scope, there, {}, nouns)


async def _situation(
    session: AsyncSession,
    places: plan.Places,
    presumed_alive_ms: Millis,
    scope: plan.Scope,
    with_cameras: Collection[UUID],
    stationed: Mapping[UUID, Sequence[CameraMoment]],
    nouns: Sequence[str] = NOUNS,
) -> Situation:
    at = places.period.start
    known = await records.read(session, nouns, at)
    active = await lifecycle.active_since(session, at)
    versions_of = await plan.facility_versions(session, Period(0, at + 1), await units.load_succession(session))
    stays, founded = await camera_stays(session, at), await load_founding(session, at)
    papers = _papers(known, at)
    day = moment(at).astimezone(VIETNAM).date()
    around = {record.id: units.links(record.state, day) for record in known.at("unit", at)}
    facilities = []
    for facility in places.facilities:
        there = tuple(stationed.get(facility.id, ()))
        versions = places.register.facilities[str(facility.id)]
        status = _status(versions, at)
        named = _name_as_of(facility, known, at)
        unit_ids = _units_around(version_at(versions, at), around)
        has_cameras = facility.id in with_cameras
        place = Place(facility.id, facility.type, status, facility.agency.id, unit_ids, has_cameras)
        # One that was entered within the millisecond of the instant is not read yet.
        entered_at, founded_at = founded.get(facility.id, (at, None))
        dated = [
            Segment(start, end, _place(version, around))
            for start, end, version in versions_of.get(str(facility.id), ())
        ]
        site = SiteRecord(founded_at, entered_at, *papers.get(facility.id, ()))
        history = history_of(dated, stays.get(facility.id, ()), site)
        facilities.append(FacilityThen(named, status, active.get(facility.id), place, there, tuple(history)))
    return Situation(at, presumed_alive_ms, tuple(facilities), known, scope)


def _place(version: FacilityVersion, around: Mapping[UUID, UnitLinks]) -> Place:
    """Without its cameras, by the units as they follow each other at the instant."""
    one = version.facility
    return Place(one.id, one.type, version.status, one.agency.id, _units_around(version, around), False)


def _units_around(version: FacilityVersion, around: Mapping[UUID, UnitLinks]) -> frozenset[UUID]:
    """Those that the facility lies in, and those of the unit that the register has it in, though it has ended."""
    found = units_around(version.facility.unit.id, around)
    return found if version.registered_in is None else found | units_around(version.registered_in, around)


def _papers(known: Records, at: Millis) -> dict[UUID, tuple[tuple[Millis, ...], ...]]:
    """List by facility when proposals were carried out, and when approved surveys found cameras, or none."""
    found: dict[UUID, tuple[list[Millis], list[Millis], list[Millis]]] = {}
    for noun in ("installation_proposal", "survey"):
        for one in known.at(noun, at):
            day = one.state.get("installed_on" if noun == "installation_proposal" else "surveyed_on")
            if one.facility_id is None or day is None:
                continue
            installed, with_some, with_none = found.setdefault(one.facility_id, ([], [], []))
            if noun == "installation_proposal":
                installed.append(start_of(date.fromisoformat(day)))
            elif one.state["status"] == SurveyStatus.APPROVED.value:
                nothing = one.state.get("verdict") == SurveyVerdict.NONE.value
                (with_none if nothing else with_some).append(start_of(date.fromisoformat(day)))
    return {key: tuple(tuple(sorted(days)) for days in each) for key, each in found.items()}


def _exists(one: Camera) -> bool:
    """Whether it was there: one that came later, was removed or stood elsewhere was not."""
    absence = one.pieces[-1].value.absence
    return absence is None or absence.reason not in {Reason.NOT_YET, Reason.REMOVED, Reason.ELSEWHERE}


def _status(versions: Iterable[Segment[FacilityVersion]], at: Millis) -> str:
    found = value_at(list(versions), at)
    assert found is not None, "places has only facilities that existed then"
    return found.value.status


def _name_as_of(facility: Facility, known: Records, at: Millis) -> Facility:
    """Name unit and agency by the codes and names that they had then."""
    return replace(
        facility,
        unit=_then(facility.unit, known.find_version("unit", facility.unit.id, at)),
        agency=_then(facility.agency, known.find_version("agency", facility.agency.id, at)),
    )


def _then(now: Named, record: Record | None) -> Named:
    return now if record is None else Named(now.id, record.state["code"], record.state["name"])


def camera_progress(one: CameraMoment, areas: Mapping[str, str | None]) -> CameraProgress:
    """Build a camera's row of the board. `areas`: what each watches, by its id."""
    absence = one.camera.pieces[-1].value.absence
    being_connected = absence is not None and absence.reason is Reason.BEING_CONNECTED
    # What is being connected is one of those that have to be, and is not yet.
    in_scope = absence is None or being_connected or absence.reason is Reason.REVISION_MISSING
    state = one.now.camera.state
    connection: Connection = NOT_CONNECTED
    if in_scope and not being_connected:
        connection = of_camera(CameraState(state), one.now.national, one.now.provincial)
    camera = one.camera
    return CameraProgress(
        camera.id, camera.code, camera.name, areas.get(camera.id), in_scope, state, one.now.camera.cause, connection
    )


def areas_of(situation: Situation) -> dict[str, str | None]:
    """Find the area of each camera at the instant, or the last one that it had before, by its id."""
    return areas_at(situation.records, situation.at)


def areas_at(known: Records, at: Millis) -> dict[str, str | None]:
    """Find the same of another instant up to which the register was read.

    A camera that was removed has the area that it had: what it counted for while it was there, it does not count for
    differently since.
    """
    begun = ([one for one in versions if one.start <= at] for versions in known.versions("camera"))
    return {str(one[-1].id): one[-1].state.get("area") for one in begun if one}


def successors(situation: Situation) -> dict[UUID, list[Named]]:
    """List the units that follow each unit, as the register had them at the instant, by their code."""
    found: dict[UUID, list[Named]] = {}
    for unit in situation.records.at("unit", situation.at):
        for earlier in unit.state.get("succeeds", ()):
            named = Named(unit.id, unit.state["code"], unit.state["name"])
            found.setdefault(UUID(earlier["unit_id"]), []).append(named)
    for named_units in found.values():
        named_units.sort(key=lambda one: (one.code or "", str(one.id)))
    return found


def ended_on(situation: Situation, unit_id: UUID) -> date | None:
    """Find the last day of a unit, as the register had it at the instant."""
    record = situation.records.find_version("unit", unit_id, situation.at)
    day = None if record is None else record.state["valid_to"]
    return None if day is None else date.fromisoformat(day)

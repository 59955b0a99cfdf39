"""What speaks for each obligation at each facility: the facts of the register and the word of the accounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from reporting.domain import instants
from reporting.domain.instants import VIETNAM, Millis, moment
from reporting.domain.mandate.obligations import NOTHING, Evidence, Finding, Obligation, last_of
from reporting.reports.mandate.situation import FacilityThen, Situation
from reporting.reports.mandate.steps import find_entry, find_step, instant
from reporting.storage.mandate.records import Record, Records
from vonggac.events.inventory import CoverageVerdict, ObligationKind, PlanStatus
from vonggac.mandate.facility_history import start_of_day
from vonggac.mandate.paper_steps import AGREED, APPROVED, INSTALLED, SUBMITTED, Step, find_naming
from vonggac.sufficiency import Assessed, Sufficiency, decide_sufficiency


@dataclass(frozen=True, slots=True)
class Facts:
    """What the register had of one noun at the instant, by facility; and all its revisions where those count."""

    situation: Situation
    surveys: Mapping[UUID, list[Record]]
    plans: Mapping[UUID, list[Record]]
    exceptions: Mapping[UUID, list[Record]]
    coverages: Mapping[UUID, list[Record]]
    focal_points: Mapping[UUID, list[Record]]
    inspections: Mapping[UUID, list[Record]]
    blocked: Mapping[UUID, list[Record]]
    cameras: Mapping[UUID, list[Record]]
    revisions: Mapping[UUID, list[Record]]
    """Of coverages and cameras, all that held at some moment up to the instant."""
    steps: Mapping[str, Mapping[UUID, list[list[Record]]]]
    """Of surveys, plans and proposals that are on record at the instant, every revision up to it, by noun."""
    connected: Mapping[UUID, Millis]
    """Since when each facility was first connected for good."""
    by_entry: bool = False
    """As rules 4 and before had it: no day on paper counts."""

    @staticmethod
    def gather(situation: Situation, connected: Mapping[UUID, Millis], *, by_entry: bool = False) -> "Facts":
        by = situation.by_facility
        return Facts(
            situation,
            by("survey"),
            by("connection_plan"),
            by("plan_exception"),
            by("coverage"),
            by("focal_point"),
            by("inspection"),
            by("blocked_reason"),
            by("camera"),
            _revisions(situation.records, ("coverage", "camera")),
            {noun: _steps(situation, noun) for noun in ("survey", "connection_plan", "installation_proposal")},
            connected,
            by_entry,
        )

    def finding(self, obligation: Obligation, then: FacilityThen) -> Finding:
        """Find what speaks for the obligation at that facility."""
        one = then.facility.id
        match obligation.kind:
            case ObligationKind.SURVEY_AND_PLAN:
                return last_of([self.survey(one), self.agreed_first(one)])
            case ObligationKind.CONNECTION:
                return last_of([self._connection(one, then.facility.code)])
            case ObligationKind.PROPOSAL:
                return last_of([self._find_first("installation_proposal", one, SUBMITTED)])
            case ObligationKind.INSTALLATION:
                return last_of([self._find_first("installation_proposal", one, INSTALLED)])
            case ObligationKind.COVERAGE:
                return last_of([Evidence("coverage", one, then.facility.code, self.sufficient_since(one))])
            case ObligationKind.FOCAL_POINT:
                return self._focal_point(one)
            case ObligationKind.INSPECTION:
                return self._inspected_once(then) if obligation.every_days is None else self._inspected_last(then)
            case _:
                return NOTHING

    def survey(self, facility_id: UUID) -> Evidence:
        """Find the first survey that was approved by then."""
        return self._find_first("survey", facility_id, APPROVED)

    def agreed_first(self, facility_id: UUID) -> Evidence:
        """Find the first version of the plan that was agreed by then, also one that a later version replaced."""
        return self._find_first("connection_plan", facility_id, AGREED)

    def _connection(self, facility_id: UUID, code: str) -> Evidence:
        """Since when it was observed for good; the minutes that accept it date it earlier, and never replace it."""
        observed = self.connected.get(facility_id)
        accepted = [
            (at, one.state.get("acceptance_number"))
            for one in self.plans.get(facility_id, ())
            if (day := one.state.get("connected_on")) is not None and (at := start_of(day)) <= self.situation.at
        ]
        if self.by_entry or observed is None or not accepted or min(accepted)[0] >= observed:
            return Evidence("connection", facility_id, code, observed)
        at, number = min(accepted)
        return Evidence("connection", facility_id, code, at, observed, number)

    def _find_first(self, noun: str, facility_id: UUID, step: Step) -> Evidence:
        """Find the first of its kind that was taken by the instant."""
        find = find_entry if self.by_entry else find_step
        found = [find(noun, one, step, self.situation.at) for one in self.steps[noun].get(facility_id, ())]
        return _first([one for one in found if one is not None], step.kind)

    def agreed_plan(self, facility_id: UUID) -> Record | None:
        """Find the version of the plan that was in force then."""
        now = self.situation.at
        for one in self.plans.get(facility_id, ()):
            state = one.state
            if state["agreed_at"] is None or instant(state["agreed_at"]) > now:
                continue
            # A version heard of when it was replaced already was in force until then.
            replaced = state["status"] == PlanStatus.SUPERSEDED.value and instant(state["status_since"]) <= now
            if not replaced and state["status"] in {PlanStatus.AGREED.value, PlanStatus.SUPERSEDED.value}:
                return one
        return None

    def sufficiency(self, facility_id: UUID) -> Sufficiency:
        """At the instant."""
        coverages, cameras = self.coverages.get(facility_id, ()), self.cameras.get(facility_id, ())
        return _sufficiency(coverages, cameras, self.revisions.get(facility_id, ()))

    def sufficient_since(self, facility_id: UUID) -> Millis | None:
        """When the cameras sufficed first; None if they do not at the instant."""
        if not self.sufficiency(facility_id).sufficient:
            return None
        revisions = self.revisions[facility_id]
        for cut in sorted({at for one in revisions for at in (one.start, one.end)}):
            held = [one for one in revisions if one.start <= cut < one.end]
            coverages = [one for one in held if one.noun == "coverage"]
            earlier = [one for one in revisions if one.start <= cut]
            if _sufficiency(coverages, [one for one in held if one.noun == "camera"], earlier).sufficient:
                return cut
        return None

    def _focal_point(self, facility_id: UUID) -> Finding:
        """Find the first that was in office, provided that one is in office on the day."""
        if not self.has_focal_point(facility_id):
            return last_of([Evidence("focal_point", None, None, None)])
        found = [self._find_naming(one) for one in self.focal_points[facility_id]]
        return last_of([_first(found, "focal_point")])

    def _find_naming(self, focal_point: Record) -> Evidence:
        """Since when one is named: from its first day in office, never before its paper or, without one, its entry."""
        entered = self._entry_of(focal_point)
        if self.by_entry or "appointment_signed_on" not in entered.state:
            # Before rule 5, and of an entry from before papers came along, the first day in office alone counts.
            return Evidence("focal_point", focal_point.id, None, start_of(focal_point.state["valid_from"]))
        found = find_naming(focal_point.state, entered.start)
        return Evidence("focal_point", focal_point.id, None, found.at, found.recorded_at, found.number)

    def _entry_of(self, record: Record) -> Record:
        """Find the revision by which it came to its facility."""
        versions = self.situation.records.history(record.noun, record.id)
        return next(one for one in versions if one.facility_id == record.facility_id)

    def has_focal_point(self, facility_id: UUID) -> bool:
        """Whether one is in office on the day of the instant (R17)."""
        day = day_of(self.situation.at)
        return any(holds(one, day) for one in self.focal_points.get(facility_id, ()))

    def blocked_kinds(self, facility_id: UUID) -> tuple[str, ...]:
        """Why it is blocked on the day, each kind once."""
        day = day_of(self.situation.at)
        return tuple(sorted({one.state["kind"] for one in self.blocked.get(facility_id, ()) if holds(one, day)}))

    def last_inspection(self, facility_id: UUID) -> Record | None:
        """Find the newest inspection that was made by the day."""
        day = day_of(self.situation.at).isoformat()
        made = [one for one in self.inspections.get(facility_id, ()) if one.state["inspected_on"] <= day]
        return max(made, key=lambda one: (one.state["inspected_on"], str(one.id)), default=None)

    def _inspected_once(self, then: FacilityThen) -> Finding:
        """Find the first inspection since the facility is active."""
        begin = then.active_since
        made = [
            Evidence("inspection", one.id, None, at, self._entry_of(one).start)
            for one in self.inspections.get(then.facility.id, ())
            if (at := start_of(one.state["inspected_on"])) <= self.situation.at
            and (begin is None or at >= start_of_day(begin))
        ]
        return last_of([_first(made, "inspection")])

    def _inspected_last(self, then: FacilityThen) -> Finding:
        """Count from the last inspection, or from the first active day where none was made since."""
        last = self.last_inspection(then.facility.id)
        at = None if last is None else start_of(last.state["inspected_on"])
        begins = [one for one in (at, then.active_since) if one is not None]
        evidence = (Evidence("inspection", None if last is None else last.id, None, at),)
        return Finding(max(begins, default=None), evidence)


def _sufficiency(coverages: Iterable[Record], cameras: Iterable[Record], earlier: Iterable[Record]) -> Sufficiency:
    """`earlier`: all revisions until then, also of cameras that are gone."""
    assessed = {
        one.state["area"]: Assessed(CoverageVerdict(one.state["verdict"]), one.state["cameras_needed"])
        for one in coverages
    }
    once = _watched(one for one in earlier if one.noun == "camera")
    return decide_sufficiency(assessed, _watched(cameras), once)


def _watched(cameras: Iterable[Record]) -> set[str]:
    return {one.state["area"] for one in cameras if one.state["enabled"] and one.state["area"] is not None}


def _first(found: Sequence[Evidence], kind: str) -> Evidence:
    return min(found, key=lambda one: (one.at or 0, str(one.id)), default=Evidence(kind, None, None, None))


def start_of(day: str) -> Millis:
    """Compute the first instant of a day of the register."""
    return instants.start_of(date.fromisoformat(day))


def day_of(at: Millis) -> date:
    """Find the day of the province."""
    return moment(at).astimezone(VIETNAM).date()


def holds(record: Record, day: date) -> bool:
    """Whether the day lies in the record's own days, both included."""
    since, until = record.state["valid_from"], record.state["valid_to"]
    return since <= day.isoformat() and (until is None or day.isoformat() <= until)


def _steps(situation: Situation, noun: str) -> dict[UUID, list[list[Record]]]:
    found: dict[UUID, list[list[Record]]] = {}
    for versions in situation.records.versions(noun):
        if versions[-1].end > situation.at and (facility_id := versions[-1].facility_id) is not None:
            found.setdefault(facility_id, []).append(versions)
    return found


def _revisions(records: Records, nouns: Iterable[str]) -> dict[UUID, list[Record]]:
    """Every revision of these nouns, by the facility that it was of."""
    found: dict[UUID, list[Record]] = {}
    for noun in nouns:
        for versions in records.versions(noun):
            for one in versions:
                if one.facility_id is not None:
                    found.setdefault(one.facility_id, []).append(one)
    return found

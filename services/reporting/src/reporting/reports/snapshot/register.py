"""What the register said at the cut-off, as rows: how far each facility was, and every duty with its deadline.

Of people there is only that somebody was in office, and since when. Free text of the register is frozen without phones
and e-mail addresses: a frozen row is never changed, and its readers need not have the right `read_people`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from reporting.domain.instants import Millis
from reporting.domain.mandate.obligations import DueState
from reporting.domain.mandate.progress import FacilityProgress
from reporting.domain.scope import FOREVER
from reporting.reports.mandate.findings import Facts, day_of, holds
from reporting.reports.mandate.obligations import Item
from reporting.reports.mandate.progress import Board
from reporting.reports.mandate.steps import instant
from reporting.reports.snapshot.canonical import Row, Value
from reporting.reports.snapshot.report import COLUMNS, PLACE, SINCE_ASSESSMENT
from reporting.storage.mandate.records import Record, Records
from vonggac.events.inventory import FacilityStatus, PlanStatus, SurveyVerdict, UnitLevel
from vonggac.mandate.facility_history import BOUND

HIDDEN = "***"
_CONTACT = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|(?<!\w)\+?\(?\d(?:[\s.()-]{0,2}\d){8,}(?!\w)"  # nine digits or more: a phone
    r"|(?<!\d)(?:\+?84|0)(?:[\s.()-]{0,2}\d){8,}(?!\d)"  # one of this country, written at a word: ĐT0912345678
)
_RANK = {
    state: place
    for place, state in enumerate(
        (DueState.OVERDUE, DueState.DUE_SOON, DueState.OPEN, DueState.DONE_LATE, DueState.DONE, DueState.WAIVED)
    )
}
"""Of what a facility owes, the most pressing stands in its row."""
_NOT_BOUND: Mapping[str, str] = {
    FacilityStatus.PLANNED.value: "Dự kiến",
    FacilityStatus.SUSPENDED.value: "Tạm dừng",
    FacilityStatus.CLOSED.value: "Đã đóng",
}
_VERDICTS: Mapping[str, str] = {
    SurveyVerdict.CONNECTABLE.value: "kết nối được",
    SurveyVerdict.NEEDS_CONFIG.value: "cần cấu hình",
    SurveyVerdict.NEEDS_REPAIR.value: "cần sửa chữa",
    SurveyVerdict.NEEDS_REPLACEMENT.value: "cần thay thế",
    SurveyVerdict.NONE.value: "chưa có camera",
}
_GONE = "Không thuộc phạm vi tại thời điểm chốt số liệu"


@dataclass(frozen=True, slots=True)
class Known:
    """The board of the cut-off, and what of it belongs to each facility."""

    board: Board
    addresses: Mapping[UUID, str]
    items: Mapping[UUID, Sequence[Item]]

    @staticmethod
    def of(board: Board, addresses: Mapping[UUID, str]) -> "Known":
        items: dict[UUID, list[Item]] = {}
        for one in board.duties.items:
            if one.facility is not None:
                items.setdefault(one.facility.id, []).append(one)
        return Known(board, addresses, items)

    @property
    def at(self) -> Millis:
        return self.board.situation.at

    @property
    def facts(self) -> Facts:
        return self.board.duties.facts


def register_rows(board: Board, addresses: Mapping[UUID, str], listed: Sequence[Row]) -> dict[str, list[Row]]:
    """Build the tables `progress` and `obligations`. `listed`: the rows of `facilities`, whose facilities these are of,
    under the names that they have there: one that came after the period is in neither."""
    known, ids = Known.of(board, addresses), {place["facility_id"] for place in listed}
    rows = {str(one.facility.id): one for one in board.rows}
    return {
        "progress": [_progress(known, place, rows.get(str(place["facility_id"]))) for place in listed],
        "obligations": [
            _to_obligation_row(one) for one in board.duties.items if one.facility is None or str(one.facility.id) in ids
        ],
    }


def proposal_rows(board: Board, listed: Sequence[Row]) -> list[Row]:
    """Build the table `proposals`: what is proposed for each listed facility, what it costs, and what was decided."""
    of_facility = board.situation.by_facility("installation_proposal")
    return [
        {**{name: place[name] for name in PLACE}, **_proposed(one)}
        for place in listed
        for one in sorted(of_facility.get(UUID(str(place["facility_id"])), ()), key=lambda one: str(one.state["code"]))
    ]


def _proposed(proposal: Record) -> Row:
    state = proposal.state
    areas: dict[str, int] = {}
    for one in state.get("areas") or ():
        areas[str(one["area"])] = areas.get(str(one["area"]), 0) + int(one["cameras"])
    return {
        "proposal_id": str(proposal.id),
        "proposal_code": state["code"],
        "proposal_status": state["status"],
        "proposed_cameras": state.get("cameras"),
        "proposed_areas": " ".join(f"{area}:{count}" for area, count in areas.items()) or None,
        "estimated_cost_vnd": state.get("estimated_cost_vnd"),
        "lead_time_days": state.get("lead_time_days"),
        "funding_source": masked(state.get("funding_source")),
        "decision_number": state.get("decision_number"),
        "decision_date": state.get("decision_date"),
        "signed_on": state.get("signed_on"),
        "document_number": state.get("document_number"),
        "installed_on": state.get("installed_on"),
    }


def before_assessment(row: Row) -> Row:
    """Convert a row of `progress` to what rule 4 has: an area that nobody assessed is missing, and one camera."""
    found = {name: value for name, value in row.items() if name not in SINCE_ASSESSMENT}
    if row["status"] is None:
        return found
    unassessed, needed = str(row["unassessed_areas"] or "").split(), row["cameras_needed"]
    return found | {"sufficient": row["missing_areas"] is None, "cameras_needed": int(needed or 0) + len(unassessed)}


def before_paper_days(row: Row) -> Row:
    """Convert a row of `obligations` to what rule 4 has."""
    return {name: value for name, value in row.items() if name not in SINCE_ASSESSMENT}


def masked(text: str | None) -> str | None:
    """Free text without phones and e-mail addresses."""
    return None if text is None else _CONTACT.sub(HIDDEN, text)


def _progress(known: Known, place: Row, row: FacilityProgress | None) -> Row:
    found: dict[str, Value] = dict.fromkeys(COLUMNS["progress"])
    found |= {**{name: place[name] for name in PLACE}, "as_of_ms": known.at}
    return {**found, **({"note": _GONE} if row is None else status_of(known, row))}


def status_of(known: Known, row: FacilityProgress) -> dict[str, Value]:
    """How far one facility is, and what is known of why; what is not there is not known, or does not apply."""
    facility_id, facts = row.facility.id, known.facts
    connection, survey = row.connection, _survey(facts, facility_id)
    return {
        "status": row.status,
        "address": _address(known, row),
        "focal_point": row.focal_point,
        "focal_point_from": _in_office_from(facts, facility_id),
        "cameras": len(row.cameras),
        "cameras_needed": row.sufficiency.cameras_needed,
        "sufficient": row.sufficiency.sufficient,
        "missing_areas": " ".join(row.sufficiency.missing) or None,
        "unassessed_areas": " ".join(row.sufficiency.unassessed) or None,
        "surveyed": row.surveyed,
        **({} if survey is None else _of_survey(survey)),
        **_plan(facts, row),
        "plan_excepted": row.plan_excepted,
        "connected_national": connection.national,
        "connected_provincial": connection.provincial,
        "connected_both": connection.both,
        **_due(known.items.get(facility_id, ())),
        "overdue": len(row.overdue),
        "blocked": " ".join(row.blocked) or None,
        "blocked_why": _blocked_why(facts, facility_id),
        "note": _note(known, row, survey),
    }


def _of_survey(survey: Record) -> dict[str, Value]:
    state = survey.state
    return {
        "survey_code": state["code"],
        "survey_status": state["status"],
        "surveyed_on": state["surveyed_on"],
        "survey_scheduled_on": state["scheduled_on"],
    }


def _survey(facts: Facts, facility_id: UUID) -> Record | None:
    """Find the approved survey that counts; before there is one, the newest."""
    found = [one for one in facts.surveys.get(facility_id, ()) if _begun(facts, one)]
    counted = facts.survey(facility_id).id
    of_it = [one for one in found if one.id == counted] or found
    return max(of_it, key=lambda one: (one.start, str(one.id)), default=None)


def _plan(facts: Facts, row: FacilityProgress) -> dict[str, Value]:
    """Describe the plan's version in force; before there is one, the newest that was not given up."""
    plan = facts.agreed_plan(row.facility.id)
    if plan is None:
        others = [
            one
            for one in facts.plans.get(row.facility.id, ())
            if _begun(facts, one) and one.state["status"] != PlanStatus.SUPERSEDED.value
        ]
        plan = max(others, key=lambda one: (one.state["version"], one.start), default=None)
    if plan is None:
        return {"plan_agreed": False}
    state = plan.state
    connections = state["connections"]
    return {
        "plan_code": state["code"],
        "plan_status": PlanStatus.AGREED.value if row.plan_agreed else state["status"],
        "plan_agreed": row.plan_agreed,
        "plan_agreed_ms": instant(state["agreed_at"]) if row.plan_agreed else None,
        "plan_cameras": len(connections),
        "plan_sources": _listed(one["source"] for one in connections),
        "plan_transports": _listed(one["transport"] for one in connections),
        "plan_destinations": _listed(code for one in connections for code in one["destination_codes"]),
    }


def _begun(facts: Facts, record: Record) -> bool:
    """Whether its state is of the cut-off or before; a first revision heard of late may be of later."""
    return instant(record.state["status_since"]) <= facts.situation.at


def _due(items: Sequence[Item]) -> dict[str, Value]:
    if not items:
        return {}
    one = min(items, key=lambda item: (_RANK[item.due.state], item.due.due_before or FOREVER, item.obligation.code))
    return {
        "due_obligation": one.obligation.code,
        "due_before_ms": one.due.due_before,
        "due_state": one.due.state.value,
    }


def _in_office_from(facts: Facts, facility_id: UUID) -> str | None:
    day = day_of(facts.situation.at)
    since = [str(one.state["valid_from"]) for one in facts.focal_points.get(facility_id, ()) if holds(one, day)]
    return min(since, default=None)


def _blocked_why(facts: Facts, facility_id: UUID) -> str | None:
    day = day_of(facts.situation.at)
    held = [one for one in facts.blocked.get(facility_id, ()) if holds(one, day) and one.state["text"]]
    return masked("; ".join(str(one.state["text"]) for one in sorted(held, key=_by_kind))) or None


def _by_kind(record: Record) -> tuple[str, str]:
    return str(record.state["kind"]), str(record.id)


def _note(known: Known, row: FacilityProgress, survey: Record | None) -> str | None:
    """Describe in words what else a reader has to know of the facility."""
    notes = [] if row.status in BOUND else [_NOT_BOUND.get(row.status, row.status)]
    exceptions = known.facts.exceptions.get(row.facility.id, ())
    notes += [f"Kết nối ngoài phương án: {one.state['why']}" for one in sorted(exceptions, key=lambda one: str(one.id))]
    if survey is not None and (verdict := survey.state["verdict"]) is not None:
        reason = survey.state["verdict_reason"]
        notes.append(f"Khảo sát: {_VERDICTS.get(verdict, verdict)}{f' ({reason})' if reason else ''}")
    for one in known.items.get(row.facility.id, ()):
        if one.due.state is DueState.WAIVED:
            notes.append(f"Miễn {one.obligation.code}{f': {one.due.why}' if one.due.why else ''}")
    return masked("; ".join(notes)) or None


def _address(known: Known, row: FacilityProgress) -> str | None:
    """As it is written, then the unit and those above it below the province, each unless it is in it already."""
    parts = [masked(known.addresses.get(row.facility.id)) or ""]
    for name in _units(known.board.situation.records, row.facility.unit.id, known.at) or [row.facility.unit.name or ""]:
        if name.casefold() not in " ".join(parts).casefold():
            parts.append(name)
    return ", ".join(one for one in parts if one) or None


def _units(records: Records, unit_id: UUID, at: Millis) -> list[str]:
    found: list[str] = []
    seen: set[UUID] = set()
    next_id: UUID | None = unit_id
    while next_id is not None and next_id not in seen:
        seen.add(next_id)
        unit = records.find_version("unit", next_id, at)
        if unit is None or unit.state["level"] == UnitLevel.PROVINCE.value:
            break
        found.append(str(unit.state["name"]))
        parent = unit.state["parent_id"]
        next_id = None if parent is None else UUID(parent)
    return found


def _to_obligation_row(item: Item) -> Row:
    one, due, place = item.obligation, item.due, item.facility
    return {
        "obligation_id": str(one.id),
        "obligation_code": one.code,
        "obligation_name": masked(one.name),
        "obligation_kind": one.kind.value,
        "directive": item.directive,
        "responsible_code": item.responsible.code,
        "responsible_name": item.responsible.name,
        "facility_id": None if place is None else str(place.id),
        "facility_code": None if place is None else place.code,
        "facility_name": None if place is None else place.name,
        "state": due.state.value,
        "due_before_ms": due.due_before,
        "own_deadline": item.own_deadline,
        "done_at_ms": due.done_at,
        "recorded_at_ms": item.recorded_at,
        "recorded_late": item.recorded_late,
        "settled_by": due.by,
        "settled_why": masked(due.why),
    }


def _listed(codes: Iterable[str]) -> str | None:
    return " ".join(sorted(set(codes))) or None

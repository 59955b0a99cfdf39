"""What the example's register says at the cut-off: made-up surveys, plans and duties, judged by the real rules."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from reporting.documents.example.lines import Line
from reporting.documents.example.places import NAMESPACE, SITES, Site
from reporting.domain.instants import VIETNAM, Millis, millis
from reporting.domain.mandate.connection import compliant_line, sustained_since
from reporting.domain.scope import FOREVER, Camera, Piece
from reporting.domain.segments import Period, Segment, value_at
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import CameraMoment, Moment, StateNow
from reporting.reports.mandate.obligations import assess_duties
from reporting.reports.mandate.progress import board_of
from reporting.reports.mandate.situation import FacilityThen, Situation
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.register import proposal_rows, register_rows
from reporting.storage.mandate.records import Record, Records
from reporting.storage.plan import Scope
from vonggac.mandate.facility_history import Place
from vonggac.sufficiency import REQUIRED_AREAS

type Lines = Sequence[tuple[Camera, Line]]

_BEGIN = datetime(2021, 4, 28, tzinfo=VIETNAM)
_ORDERED = datetime(2021, 5, 7, 9, tzinfo=VIETNAM)
_DEADLINE = datetime(2021, 5, 10, tzinfo=VIETNAM)
_AREAS = ("gate", "yard", "corridor", "corridor", "reception", "floor_lobby")
"""What the cameras of each site watch, in the order of their positions."""
_ADDRESSES = {
    "KCL-01": "68 Lê Duẩn, phường 1", "KCL-02": "Khu phố 5, phường Đông Lễ", "KCL-04": "Thị trấn Lao Bảo",
    "KCL-06": "Thị trấn Gio Linh", "KCL-07": "Thị trấn Krông Klang", "KCL-08": "Xã Cam An", "KCL-09": "Xã Triệu Thượng",
    "KCL-10": "Xã Hải Lăng", "KCL-11": "Xã Hải Lăng", "KCL-12": "Thị trấn Hồ Xá",
}  # fmt: skip
"""Of restricted facilities the register publishes none."""
_SURVEYED = {f"KCL-{number:02d}": 3 + number // 2 for number in range(1, 11)}
"""On which day of May."""
_UNCOVERED = {"KCL-06": ("reception", 1), "KCL-09": ("corridor", 2), "KCL-11": ("corridor", 2), "KCL-12": ("gate", 1)}
_BLOCKED = {
    "KCL-09": ("security_lock", "đầu ghi do nhà thầu giữ mật khẩu"),
    "KCL-11": ("needs_new_investment", "chưa có đường truyền"),
}
_PROPOSALS: Mapping[str, Mapping[str, object]] = {
    "KCL-06": {
        "status": "approved", "cameras": 1, "areas": [{"area": "reception", "cameras": 1}],
        "estimated_cost_vnd": 12_500_000, "lead_time_days": 2, "funding_source": "Dự phòng ngân sách tỉnh năm 2021",
        "signed_on": "2021-05-07", "document_number": "31/TTr-STTTT",
        "decision_number": "1126/QĐ-UBND", "decision_date": "2021-05-09",
    },
    "KCL-11": {
        "status": "submitted", "cameras": 5,
        "areas": [{"area": "corridor", "cameras": 2}, {"area": "gate", "cameras": 1}, {"area": "yard", "cameras": 2}],
        "estimated_cost_vnd": 84_000_000, "lead_time_days": 5,
        "signed_on": "2021-05-08", "document_number": "33/TTr-STTTT",
    },
}  # fmt: skip
_OBLIGATIONS = (
    ("1742-1A", "Khảo sát và thống nhất phương án kết nối", "survey_and_plan", _DEADLINE, True),
    ("1742-1B", "Kết nối tới hai trung tâm", "connection", _DEADLINE, True),
    ("1742-2", "Báo cáo hiện trạng, đề xuất lắp đặt", "proposal", None, False),
    ("1742-3", "Cử cán bộ đầu mối", "focal_point", _DEADLINE, None),
)


def register(at: Millis, period: Period, lines: Lines, facilities: Sequence[Row]) -> dict[str, list[Row]]:
    """Build the tables `progress`, `obligations` and `proposals`, of the instant `at`."""
    of_site: dict[UUID, list[tuple[Camera, Line]]] = {}
    for camera, its in lines:
        of_site.setdefault(camera.facility.id, []).append((camera, its))
    then = [_then(period, site, of_site.get(site.facility.id, ())) for site in SITES]
    ordered = sorted(then, key=lambda one: (one.facility.unit.code or "", one.facility.code))
    records = Records([one for made in _records() for one in made])
    situation = Situation(at, 0, tuple(ordered), records, Scope())
    connected = {key: since for key, its in of_site.items() if (since := _connected(period, its)) is not None}
    addresses = {one.facility.id: _ADDRESSES[code] for one in SITES if (code := one.facility.code) in _ADDRESSES}
    board = board_of(situation, assess_duties(situation, connected))
    return {**register_rows(board, addresses, facilities), "proposals": proposal_rows(board, facilities)}


def _then(period: Period, site: Site, its: Lines) -> FacilityThen:
    facility, active = site.facility, "active"
    units = frozenset({facility.unit.id})
    place = Place(facility.id, facility.type, active, facility.agency.id, units, bool(its))
    cameras = tuple(CameraMoment(_in_scope(camera, period), _moment(period, one)) for camera, one in its)
    history = (Segment(millis(_BEGIN), FOREVER, place),)
    return FacilityThen(facility, active, millis(_BEGIN), place, cameras, history)


def _in_scope(camera: Camera, period: Period) -> Camera:
    return camera._replace(pieces=(Segment(period.start, period.end, Piece(camera.facility, None, camera.deliveries)),))


def _moment(period: Period, line: Line) -> Moment:
    """How it stands at the end of the period."""
    last = period.end - 1
    seen = value_at(line.seen, last)
    state = CameraState.UNKNOWN if seen is None else seen.value.state
    received = []
    for one in line.deliveries:
        status = value_at(one.segments, last)
        received.append(status is not None and status.value.state == "acknowledged")
    now = StateNow(state.value, None, None)
    return Moment(now, now, (), tuple(received), received[0], received[1], all(received))


def _connected(period: Period, its: Lines) -> Millis | None:
    found = []
    for _, line in its:
        part = Period(max(line.born, period.start), period.end)
        counted = [Segment(part.start, part.end, True)] if part.length > 0 else []
        found.append((counted, compliant_line(part, line.seen, line.deliveries, line.maintenance) if counted else []))
    return sustained_since(period, found)


def _records() -> Iterator[Iterator[Record]]:
    yield _of_the_province()
    for site in SITES:
        yield _of_facility(site)


def _record(noun: str, name: str, state: Mapping[str, object], site: Site | None = None) -> Record:
    facility_id, since = None if site is None else site.facility.id, millis(_BEGIN)
    return Record(
        noun, uuid5(NAMESPACE, f"{noun}/{name}"), 1, facility_id, dict(state), since, None, None, since, FOREVER
    )


def _of_the_province() -> Iterator[Record]:
    yield _record("directive", "1742", {"number": "1742/UBND-VX", "issued_on": "2021-05-07"})
    yield _record("agency", "STTTT", {"code": "STTTT", "name": "Sở Thông tin và Truyền thông"})
    directive, lead = (str(uuid5(NAMESPACE, name)) for name in ("directive/1742", "agency/STTTT"))
    for code, name, kind, due_before, with_cameras in _OBLIGATIONS:
        due = None if due_before is None else due_before.isoformat()
        entry = {"due_before": due, "set_at": _ORDERED.isoformat(), "set_by": "phong-bcvt", "reason": None}
        yield _record("obligation", code, {
            "code": code, "name": name, "kind": kind, "directive_id": directive, "responsible_agency_id": lead,
            "status": "open", "deadlines": [{**entry, "directive_id": directive}], "facility_types": [],
            "managing_agency_id": None, "unit_id": None, "with_cameras": with_cameras, "facility_ids": [],
            "every_days": None, "completed_at": None, "settled_by": None, "settled_reason": None, "due_before": due,
        })  # fmt: skip


def _of_facility(site: Site) -> Iterator[Record]:
    code = site.facility.code
    if code != "KCL-12":
        state = {"valid_from": date(2021, 5, 5).isoformat(), "valid_to": None}
        yield _record("focal_point", code, state, site)
    if (day := _SURVEYED.get(code)) is not None:
        yield from _surveyed(site, datetime(2021, 5, day, 16, tzinfo=VIETNAM))
    elif code == "KCL-11":
        yield _record("survey", code, _survey(site, "scheduled", _ORDERED, None, date(2021, 5, 12)), site)
    if code in _PROPOSALS:
        status = {"code": f"DX-{code}", "status_since": _ORDERED.isoformat()}
        yield _record("installation_proposal", code, {**status, **_PROPOSALS[code]}, site)
    if code in _BLOCKED:
        kind, text = _BLOCKED[code]
        blocked = {"kind": kind, "text": text, "valid_from": date(2021, 5, 8).isoformat(), "valid_to": None}
        yield _record("blocked_reason", code, blocked, site)
    yield from _coverage(site)


def _surveyed(site: Site, at: datetime) -> Iterator[Record]:
    code = site.facility.code
    status = "submitted" if code == "KCL-09" else "approved"
    yield _record("survey", code, _survey(site, status, at + timedelta(hours=20), at.date(), None), site)
    if code == "KCL-09":
        why = {"why": "cơ sở đã nhận người, phương án đang trình", "approved_by": "lanh-dao-so-tttt"}
        yield _record("plan_exception", code, why, site)
        return
    proposed, agreed = code == "KCL-10", at + timedelta(hours=30)
    connections = [
        {
            "source": "nvr_channel" if site.cameras > 3 else "camera",
            "transport": "tcp",
            "destination_codes": ["D1", "D2"],
        }
    ] * site.cameras
    yield _record(
        "connection_plan",
        code,
        {
            "code": f"PA-{code}",
            "version": 1,
            "status": "proposed" if proposed else "agreed",
            "status_since": agreed.isoformat(),
            "agreed_at": None if proposed else agreed.isoformat(),
            "connections": connections,
        },
        site,
    )


def _survey(site: Site, status: str, since: datetime, on: date | None, planned: date | None) -> dict[str, object]:
    repair = site.facility.code == "KCL-06"
    return {
        "code": f"KS-{site.facility.code}",
        "status": status,
        "status_since": since.isoformat(),
        "approved_at": since.isoformat() if status == "approved" else None,
        "surveyed_on": None if on is None else on.isoformat(),
        "scheduled_on": None if planned is None else planned.isoformat(),
        "verdict": "needs_repair" if repair else None,
        "verdict_reason": "đầu ghi hỏng một ổ đĩa" if repair else None,
    }


def _coverage(site: Site) -> Iterator[Record]:
    """Every area that no camera watches does not apply, but for those that lack one."""
    watched = _AREAS[: site.cameras]
    for number, area in enumerate(watched, start=1):
        yield _record("camera", f"{site.facility.code}-C{number:02d}", {"area": area, "enabled": True}, site)
    lacking, needed = _UNCOVERED.get(site.facility.code, (None, 0))
    for area in REQUIRED_AREAS:
        if area == lacking or (area not in watched and site.cameras):
            verdict = "not_covered" if area == lacking else "not_applicable"
            state = {"area": area, "verdict": verdict, "cameras_needed": needed if area == lacking else 0}
            yield _record("coverage", f"{site.facility.code}/{area}", state, site)

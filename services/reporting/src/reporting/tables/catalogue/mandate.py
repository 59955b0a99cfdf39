"""The mandate's process at the moment of the file: progress, obligations, inspections due."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date

from reporting.domain.evidence.lives import presumption
from reporting.domain.instants import Millis
from reporting.domain.mandate.obligations import DueState, Evidence
from reporting.domain.mandate.progress import COMPARED, COUNT_NAMES, Counts, GroupKey, changes, grouped, total_of
from reporting.domain.scope import Facility
from reporting.reports.mandate.inspections import NOUNS as INSPECTION_NOUNS
from reporting.reports.mandate.inspections import inspections_due
from reporting.reports.mandate.obligations import Item, duties
from reporting.reports.mandate.progress import Board, board
from reporting.reports.mandate.situation import NOUNS, Situation, situation_of_record
from reporting.reports.snapshot.register import Known, status_of
from reporting.reports.totals import TYPE_NAMES
from reporting.storage.mandate import lifecycle
from reporting.tables.catalogue.columns import PLACE, place_values
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Row, Table
from vonggac.events.inventory import FacilityStatus, ObligationKind, PlanStatus, SurveyStatus

TEXT, INTEGER, BOOLEAN, INSTANT, DATE = Kind.TEXT, Kind.INTEGER, Kind.BOOLEAN, Kind.INSTANT, Kind.DATE

_COUNTED = {
    "facilities": ("Số cơ sở", "Facilities that are approved or active."),
    "with_cameras": ("Có camera", "With cameras."),
    "without_cameras": ("Chưa có camera", "Without cameras."),
    "surveyed": ("Đã khảo sát", "With an approved survey."),
    "plan_agreed": ("Đã thống nhất phương án", "With a connection plan in force."),
    "plan_excepted": ("Kết nối ngoài phương án", "Forwarded by an exception, without an agreed plan."),
    "connected_national": ("Đã kết nối trung ương", "Connected to the national centre."),
    "connected_provincial": ("Đã kết nối IOC tỉnh", "Connected to the provincial centre."),
    "connected_both": ("Đã kết nối cả hai", "Connected to both."),
    "connection_unknown": ("Không rõ kết nối", "Not known whether connected to both."),
    "sufficient": ("Đủ camera", "No required area is uncovered."),
    "insufficient": ("Thiếu camera", "An area was found uncovered, or lost its camera."),
    "unassessed": ("Chưa đánh giá đủ camera", "Neither: some required areas are not assessed."),
    "overdue": ("Quá hạn", "With an obligation that is overdue."),
    "blocked": ("Có vướng mắc", "With a reason on record why it cannot be connected."),
    "without_focal_point": ("Chưa có đầu mối", "Nobody is in office as focal point."),
    "planned": ("Dự kiến", "Not counted: planned."),
    "suspended": ("Tạm dừng", "Not counted: suspended."),
    "closed": ("Đã đóng", "Not counted: closed."),
    "cameras": ("Số camera", "Cameras of the counted facilities."),
    "cameras_in_scope": ("Camera trong phạm vi", "Those that are switched on."),
    "cameras_national": ("Camera tới trung ương", "Up, and at the national centre."),
    "cameras_provincial": ("Camera tới IOC tỉnh", "Up, and at the provincial centre."),
    "cameras_both": ("Camera tới cả hai", "Up, and at both."),
    "cameras_unknown": ("Camera không rõ", "Not known whether at both."),
    "cameras_needed": ("Camera cần bổ sung", "Still to be installed in the areas that were found uncovered."),
}

PROGRESS = Table(
    "progress",
    "Tiến độ",
    "Progress",
    "A row for the province, for each unit, managing agency and type: how many facilities and cameras are how far.",
    (
        Column(
            "grouping",
            TEXT,
            "Nhóm theo",
            "What the row is a line of.",
            choices=("total", "unit", "agency", "type"),
            required=True,
        ),
        Column("code", TEXT, "Mã", "Code of the unit, agency or type; `all` in the total.", required=True),
        Column("name", TEXT, "Tên", "Its name of then."),
        *(
            Column(name, INTEGER, heading, text, amount="cameras" if name.startswith("cameras") else "facilities")
            for name, (heading, text) in _COUNTED.items()
        ),
        Column("blocked_reasons", TEXT, "Vướng mắc", "How many facilities for which reason."),
        Column("facilities_both_percent", Kind.PERCENT, "Cơ sở tới cả hai (%)", "Of the counted facilities."),
        Column("cameras_both_percent", Kind.PERCENT, "Camera tới cả hai (%)", "Of the cameras in scope."),
    ),
    ("grouping", "code"),
    periodic=False,
)
FACILITIES = Table(
    "progress_facilities",
    "Tiến độ từng cơ sở",
    "Progress of each facility",
    "A row for each facility that existed: what it has, what it lacks, what it owes. Empty is not known.",
    (
        *PLACE,
        Column("status", TEXT, "Trạng thái", "Its lifecycle.", choices=[*FacilityStatus], required=True),
        Column("cameras", INTEGER, "Số camera", "Cameras at it.", amount="cameras", required=True),
        Column("surveyed", BOOLEAN, "Đã khảo sát", "An approved survey.", required=True),
        Column("plan_agreed", BOOLEAN, "Đã thống nhất phương án", "A plan in force.", required=True),
        Column("plan_excepted", BOOLEAN, "Kết nối ngoài phương án", "By an exception.", required=True),
        Column("connected_national", BOOLEAN, "Đã kết nối trung ương", "Every camera of a required area."),
        Column("connected_provincial", BOOLEAN, "Đã kết nối IOC tỉnh", "Every camera of a required area."),
        Column("connected_both", BOOLEAN, "Đã kết nối cả hai", "Every camera of a required area."),
        Column("sufficient", BOOLEAN, "Đủ camera", "No required area is uncovered; empty: some are not assessed."),
        Column("missing_areas", TEXT, "Khu vực còn thiếu", "Required areas without a camera; unassessed ones too."),
        Column("unassessed_areas", TEXT, "Khu vực chưa đánh giá", "Required areas that nobody assessed."),
        Column(
            "cameras_needed", INTEGER, "Camera cần bổ sung", "Still to be installed.", amount="cameras", required=True
        ),
        Column("focal_point", BOOLEAN, "Có đầu mối", "Somebody is in office.", required=True),
        Column("blocked_reasons", TEXT, "Vướng mắc", "Kinds of reasons on record."),
        Column("overdue_obligations", TEXT, "Việc quá hạn", "Codes of what is overdue."),
        Column("address", TEXT, "Địa chỉ", "With the units that it lies in; of a restricted facility those alone."),
        Column("focal_point_date", DATE, "Đầu mối từ ngày", "Since which day somebody in office is."),
        Column(
            "survey_status",
            TEXT,
            "Tình trạng khảo sát",
            "Of the survey that counts, else of the newest.",
            choices=[*SurveyStatus],
        ),
        Column("survey_date", DATE, "Ngày khảo sát", "Day of that survey."),
        Column(
            "plan_status",
            TEXT,
            "Tình trạng phương án",
            "Of the plan in force, else of the newest.",
            choices=[*PlanStatus],
        ),
        Column("plan_agreed_at", INSTANT, "Thống nhất lúc", "When the plan in force was agreed."),
        Column("due_obligation", TEXT, "Nghĩa vụ gấp nhất", "Code of the most pressing obligation."),
        Column("due_before_at", INSTANT, "Thời hạn", "Of it: on time is strictly before; empty: no deadline."),
        Column("due_state", TEXT, "Tình trạng thời hạn", "How it stands.", choices=[*DueState]),
        Column("blocked_why", TEXT, "Nội dung vướng mắc", "As the register has it, without phones and mail addresses."),
        Column("note", TEXT, "Ghi chú", "What else is to be known, without phones and mail addresses."),
    ),
    ("facility_id",),
    periodic=False,
)
CHANGES = Table(
    "progress_changes",
    "Thay đổi tiến độ",
    "Changes of progress",
    "A row for each thing of a facility that differs between the beginning and the end of the period, by the facts "
    "that are known at the moment of the file.",
    (
        *PLACE,
        Column("field", TEXT, "Nội dung", "What differs.", choices=COMPARED, required=True),
        Column("before", TEXT, "Trước", "At the beginning; empty: there was none."),
        Column("after", TEXT, "Sau", "At the end; empty: there is none."),
    ),
    ("facility_id", "field"),
)
OBLIGATIONS = Table(
    "obligations",
    "Việc phải làm",
    "Obligations",
    "A row for each obligation at each facility that it is about; one for the province where it is owed once.",
    (
        Column("item_id", TEXT, "ID việc", "Ids of the obligation and the facility.", required=True),
        Column("obligation_code", TEXT, "Mã nghĩa vụ", "Code of the obligation.", required=True),
        Column("obligation_name", TEXT, "Nghĩa vụ", "What is demanded.", required=True),
        Column("kind", TEXT, "Loại", "Its kind.", choices=[*ObligationKind], required=True),
        Column("directive", TEXT, "Văn bản", "Number of the directive, as printed."),
        Column("responsible_code", TEXT, "Mã cơ quan chịu trách nhiệm", "Code of who owes it."),
        Column("responsible_name", TEXT, "Cơ quan chịu trách nhiệm", "Who owes it."),
        Column("unit_name", TEXT, "Đơn vị hành chính", "Unit of the facility, by its name of then."),
        Column("facility_code", TEXT, "Mã cơ sở", "The facility; empty: owed once for the province."),
        Column("facility_name", TEXT, "Cơ sở", "Its name of then."),
        Column("state", TEXT, "Tình trạng", "How it stands.", choices=[*DueState], required=True),
        Column("due_before_at", INSTANT, "Trước thời điểm", "On time is strictly before; empty: no deadline."),
        Column(
            "own_deadline",
            BOOLEAN,
            "Hạn riêng của cơ sở",
            "The facility came under it after the directive's day.",
            required=True,
        ),
        Column("done_at", INSTANT, "Hoàn thành lúc", "When it was done, by the day on paper where there is one."),
        Column("recorded_at", INSTANT, "Ghi nhận lúc", "When what makes it done was entered or observed."),
        Column(
            "recorded_late",
            BOOLEAN,
            "Ghi nhận sau hạn, hoàn thành đúng hạn",
            "Done in time, and entered at the deadline or later.",
            required=True,
        ),
        Column("settled_by", TEXT, "Người quyết định", "Who waived it, or settled it on record."),
        Column("settled_why", TEXT, "Lý do", "Why it was waived."),
        Column(
            "evidence",
            TEXT,
            "Căn cứ",
            "What speaks for it: kind, code, document, and whether it was returned or corrected.",
        ),
    ),
    ("item_id",),
    periodic=False,
)
INSPECTIONS = Table(
    "inspections_due",
    "Kiểm tra đến hạn",
    "Inspections due",
    "A row for each active facility: when it is to be inspected next.",
    (
        *PLACE,
        Column("last_inspection_date", DATE, "Kiểm tra lần cuối", "Empty: never."),
        Column("open_findings", INTEGER, "Tồn tại chưa khắc phục", "Of the last inspection.", required=True),
        Column("every_days", INTEGER, "Chu kỳ (ngày)", "At least once in so many days.", amount="days", required=True),
        Column("due_date", DATE, "Hạn kiểm tra", "The last day that is in time.", required=True),
        Column("overdue_days", INTEGER, "Quá hạn (ngày)", "0 while it is in time.", amount="days", required=True),
    ),
    ("facility_id",),
    periodic=False,
)


async def _of_record(asked: Selection, nouns: Sequence[str] = NOUNS) -> Situation:
    question = asked.question
    return await situation_of_record(asked.session, question.now, question.presumed_alive_ms, asked.scope, nouns)


async def _board(asked: Selection, at: Millis | None = None) -> Board:
    question = asked.question
    instant = question.now if at is None else at
    alive_ms = presumption(question.presumed_alive_ms, instant, question.now)
    return await board(asked.session, instant, alive_ms, asked.scope)


async def progress_rows(asked: Selection) -> Portions:
    """Yield the total, then each grouping by code."""
    made = await _board(asked)
    rows = [_line("total", "all", "Toàn tỉnh", total_of(made.rows))]
    keys: Sequence[tuple[str, Callable[[Facility], GroupKey]]] = (
        ("unit", lambda one: (one.unit.id, one.unit.code, one.unit.name)),
        ("agency", lambda one: (one.agency.id, one.agency.code, one.agency.name)),
        ("type", lambda one: (None, one.type, TYPE_NAMES.get(one.type, one.type))),
    )
    for grouping, key in keys:
        rows += [_line(grouping, line.code or str(line.id), line.name, line.counts) for line in grouped(made.rows, key)]
    yield rows


def _line(grouping: str, code: str, name: str | None, counts: Counts) -> Row:
    plain = asdict(counts)
    reasons = ", ".join(f"{kind}: {count}" for kind, count in sorted(counts.blocked_by.items()))
    return (
        grouping,
        code,
        name,
        *(plain[one] for one in COUNT_NAMES),
        reasons or None,
        _percent(counts.connected_both, counts.facilities),
        _percent(counts.cameras_both, counts.cameras_in_scope),
    )


async def facility_rows(asked: Selection) -> Portions:
    """In the order of the reports."""
    rows: list[Row] = []
    made = await _board(asked)
    known = Known.of(made, await lifecycle.addresses(asked.session, asked.question.now))
    for row in made.rows:
        connection, said = row.connection, status_of(known, row)
        rows.append(
            (
                *place_values(row.facility),
                row.status,
                len(row.cameras),
                row.surveyed,
                row.plan_agreed,
                row.plan_excepted,
                connection.national,
                connection.provincial,
                connection.both,
                row.sufficiency.sufficient,
                _listed(row.sufficiency.missing),
                _listed(row.sufficiency.unassessed),
                row.sufficiency.cameras_needed,
                row.focal_point,
                _listed(row.blocked),
                _listed(row.overdue),
                said["address"],
                _date(said["focal_point_from"]),
                said.get("survey_status"),
                _date(said.get("surveyed_on")),
                said.get("plan_status"),
                said.get("plan_agreed_ms"),
                said.get("due_obligation"),
                said.get("due_before_ms"),
                said.get("due_state"),
                said["blocked_why"],
                said["note"],
            )
        )
    yield rows


async def change_rows(asked: Selection) -> Portions:
    """In the order of the reports, then those that are gone."""
    start, end = asked.question.period
    before, after = await _board(asked, start), await _board(asked, end)
    yield [(*place_values(one.facility), one.field, one.before, one.after) for one in changes(before.rows, after.rows)]


async def obligation_rows(asked: Selection) -> Portions:
    """In the order of the facilities, then of the obligations' codes."""
    yield [_to_obligation_row(one) for one in (await duties(asked.session, await _of_record(asked))).items]


def _to_obligation_row(item: Item) -> Row:
    one, due, place = item.obligation, item.due, item.facility
    evidence = _listed(_evidence(each) for each in item.evidence if each.at is not None)
    return (
        f"{one.id}/{'province' if place is None else place.id}",
        one.code,
        one.name,
        one.kind.value,
        item.directive,
        item.responsible.code,
        item.responsible.name,
        None if place is None else place.unit.name,
        None if place is None else place.code,
        None if place is None else place.name,
        due.state.value,
        due.due_before,
        item.own_deadline,
        due.done_at,
        item.recorded_at,
        item.recorded_late,
        due.by,
        due.why,
        evidence,
    )


def _evidence(one: Evidence) -> str:
    parts = (one.kind, one.code, one.document, None if one.kept is None else f"({one.kept.value})")
    return " ".join(part for part in parts if part)


async def inspection_rows(asked: Selection) -> Portions:
    """By the day that is due."""
    yield [
        (*place_values(one.facility), one.last_on, one.open_findings, one.every_days, one.due_on, one.overdue_days)
        for one in inspections_due(await _of_record(asked, INSPECTION_NOUNS))
    ]


def _listed(words: Iterable[str]) -> str | None:
    return ", ".join(words) or None


def _date(day: object) -> date | None:
    return None if day is None else date.fromisoformat(str(day))


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


SOURCES = (
    Source(PROGRESS, progress_rows),
    Source(FACILITIES, facility_rows),
    Source(CHANGES, change_rows),
    Source(OBLIGATIONS, obligation_rows),
    Source(INSPECTIONS, inspection_rows),
)

"""The example's frozen report: real accounts of made-up time, by the same tables and the same chain as every report."""

from datetime import date, datetime
from random import Random
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from reporting.documents.example.lines import DAY, Line, accounted, line
from reporting.documents.example.places import NAMESPACE, SITES, cameras
from reporting.documents.example.register import register
from reporting.documents.example.security import security
from reporting.domain.compliance import RULE_VERSION
from reporting.domain.instants import HOUR, Millis, millis
from reporting.domain.mandate.connection import compliant_line, sustained_since
from reporting.domain.outages import accounted as told
from reporting.domain.outages import outages
from reporting.domain.partition import LEDGER_NAMES
from reporting.domain.scope import Camera, Register
from reporting.domain.segments import Period, Segment
from reporting.reports.accounts import CameraAccount
from reporting.reports.daily import CameraDays, days_of
from reporting.reports.notes import note_corrected_facts
from reporting.reports.snapshot import figures
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.collect import steps
from reporting.reports.snapshot.difference import changes
from reporting.reports.snapshot.figures import FoundOutage
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.report import Approval, FilterPart, Header, PeriodPart, Report, table_parts
from reporting.reports.totals import Totals
from reporting.storage.plan import Places

SEED = 1742
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PERIOD = Period(millis(datetime(2021, 5, 3, tzinfo=ZONE)), millis(datetime(2021, 5, 10, tzinfo=ZONE)))
CUT_OFF: Millis = PERIOD.end + HOUR
AUTHOR, APPROVER = "phong-bcvt", "lanh-dao-so-tttt"
"""Subjects of tokens: accounts, no persons."""

type _Lines = list[tuple[Camera, Line]]


def example_days() -> tuple[list[CameraDays], list[tuple[date, Period]]]:
    """Each camera's account of every day of the period, and the days."""
    lines, spans = _lines(SEED, late_evidence=False), days_of(PERIOD, ZONE)
    found = []
    for camera, its in lines:
        known = CameraDays(camera)
        for _, span in spans:
            account = accounted(span, its)
            deliveries = tuple([tuple([getattr(one, name) for name in LEDGER_NAMES]) for one in account.deliveries])
            known.accounts[span.start] = camera.facility, account.camera.lengths[1:], deliveries
        found.append(known)
    return found, spans


def example_report() -> Report:
    """Build the first report of the chain, approved."""
    tables = example_tables(SEED)
    header = Header(
        id=str(uuid5(NAMESPACE, "report/1")),
        version=1,
        number=1,
        period=PeriodPart(from_ms=PERIOD.start, to_ms=PERIOD.end, time_zone=ZONE.key),
        cut_off_ms=CUT_OFF,
        frozen_at_ms=PERIOD.end + 8 * HOUR,
        author=AUTHOR,
        rule_version=RULE_VERSION,
        filters=FilterPart(),
        deadline_ms=None,
        target_ppm=990_000,
        proposals=[],
        letterhead=Letterhead(),
        reason=None,
        replaces_sha256=None,
        previous_sha256=None,
        tables=table_parts(tables),
    )
    return Report(header, tables, Approval(by=APPROVER, at_ms=PERIOD.end + 9 * HOUR))


def example_correction(first: Report) -> Report:
    """Its second version: the night without a prober was measured after all, which came to light late."""
    tables = example_tables(SEED, late_evidence=True)
    tables["changes"] = changes(first.tables, tables)
    header = first.header.model_copy(
        update={
            "version": 2,
            "number": 2,
            "frozen_at_ms": first.header.frozen_at_ms + DAY,
            "reason": "Bổ sung số liệu đo từ 02 giờ đến 03 giờ 30 phút ngày 06/5/2021, đến sau thời điểm chốt số liệu",
            "replaces_sha256": first.sha256,
            "previous_sha256": first.sha256,
            "tables": table_parts(tables),
        }
    )
    return Report(header, tables)


def example_tables(seed: int, *, late_evidence: bool = False) -> dict[str, list[Row]]:
    """Build the tables of a seed; `late_evidence` fills the hours in which nobody had probed."""
    lines = _lines(seed, late_evidence=late_evidence)
    accounts, totals = _accounts(PERIOD, lines)
    rows, deliveries = figures.cameras(accounts)
    days = []
    for period in steps(PERIOD, ZONE):
        of_day, sums = _accounts(period, lines)
        days.append(figures.day(period, sums, of_day, _connected(period, lines)))
    sums_of = figures.groups(totals)
    return {
        **sums_of,
        **register(CUT_OFF, PERIOD, lines, sums_of["facilities"]),
        "cameras": rows,
        **security(CUT_OFF, [camera for camera, _ in lines], rows),
        "deliveries": deliveries,
        "outages": figures.outages(_outages(lines)),
        "days": days,
        "strips": _strips(accounts, lines),
        "notes": [note_corrected_facts(PERIOD, 3).to_row()],
    }


def _lines(seed: int, *, late_evidence: bool) -> _Lines:
    random = Random(seed)  # noqa: S311 - a made-up province, no secret
    return [(camera, line(PERIOD, site, camera, random, blind=not late_evidence)) for site, camera in cameras()]


def _accounts(period: Period, lines: _Lines) -> tuple[list[CameraAccount], Totals]:
    facilities = [site.facility for site in SITES]
    ordered = sorted(facilities, key=lambda one: (one.unit.code or "", one.code))
    register = Register({}, {}, lambda _: True)
    totals = Totals(Places(ordered, frozenset(one.id for one in facilities), register, period))
    found = []
    for camera, its in lines:
        if its.born >= period.end:
            continue
        account = accounted(period, its)
        found.append(CameraAccount(camera, None, account, ((camera.facility, account.camera),)))
    totals.add(found)
    return found, totals


def _connected(period: Period, lines: _Lines) -> list[UUID]:
    """Facilities that were connected in the period. No area is noted, so all cameras count."""
    there: dict[UUID, list[tuple[list[Segment[bool]], list[Segment[bool]]]]] = {}
    for camera, its in lines:
        if its.born < period.end:
            counted = Period(max(its.born, period.start), period.end)
            line = compliant_line(counted, its.seen, its.deliveries, its.maintenance)
            there.setdefault(camera.facility.id, []).append(([Segment(*counted, True)], line))
    return [facility_id for facility_id, cameras in there.items() if sustained_since(period, cameras) is not None]


def _outages(lines: _Lines) -> list[FoundOutage]:
    fault = PERIOD.start + 4 * DAY + 21 * HOUR
    return [
        FoundOutage(camera, one, fault if camera.facility.code == "KCL-05" and one.start == fault else None)
        for camera, its in lines
        for one in outages(PERIOD, its.seen, its.maintenance, PERIOD.end + HOUR, its.absences)
    ]


def _strips(accounts: list[CameraAccount], lines: _Lines) -> list[Row]:
    by_id = {camera.id: its for camera, its in lines}
    *_, last = steps(PERIOD, ZONE)
    return [
        row
        for camera in figures.worst(accounts)
        for row in figures.strip(
            camera, told(last, by_id[camera.id].seen, by_id[camera.id].maintenance, by_id[camera.id].absences)
        )
    ]

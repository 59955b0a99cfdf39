"""The CSV: put together from pieces, it is what the csv module writes of the same cells."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.instants import VIETNAM, moment
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES, Account, DeliveryDurations, Durations
from reporting.domain.percentages import percentages, rounded
from reporting.domain.scope import Absence, Camera, Delivery, Facility, Named, Piece, Reason
from reporting.domain.segments import Period, Segment
from reporting.reports.accounts import CameraAccount, Moment, Now, Question
from reporting.reports.tables import BOM, COLUMNS, DELIVERY_COLUMNS, ComplianceTable, Dialect

QUESTION = Question(Period(1_761_000_000_000, 1_763_592_000_000), 1_763_592_000_001, 15_000)

TEXTS = st.one_of(
    st.sampled_from(
        ["", "=1+1", "-5", "+84", "@a", "\tx", "\r", 'a "b"', "a,b", "a;b", "a\nb", "Trường học", "1.5", " "]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
IDS = st.uuids()
LENGTHS = st.one_of(st.just(0), st.just(2_592_000_000), st.integers(0, 10**11))
MOMENTS = st.integers(0, 4_000_000_000_000)
NOWS = st.builds(Now, st.sampled_from(["up", "down", "unknown"]), st.none() | TEXTS, st.none() | MOMENTS)
NAMED = st.builds(Named, IDS, st.none() | TEXTS, st.none() | TEXTS)
FACILITIES = st.builds(Facility, IDS, TEXTS, TEXTS, st.just("school"), st.booleans(), NAMED, NAMED)
DELIVERIES = st.builds(
    Delivery,
    IDS.map(str),
    NAMED,
    st.none() | st.just("national"),
    st.just("verified"),
    st.booleans(),
    st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.none() | st.floats(0, 1e18),
)
CONNECTED = st.none() | st.booleans()


ABSENCES = st.none() | st.builds(Absence, st.sampled_from(Reason), st.none() | TEXTS, st.none() | TEXTS)


@st.composite
def camera_accounts(draw: st.DrawFn, facilities: list[Facility]) -> CameraAccount:
    deliveries, facility = tuple(draw(st.lists(DELIVERIES, max_size=3))), draw(st.sampled_from(facilities))
    piece = Piece(facility, draw(ABSENCES), deliveries)
    camera = Camera(str(draw(IDS)), draw(TEXTS), draw(TEXTS), facility, deliveries, (Segment(*QUESTION.period, piece),))
    now = Moment(
        draw(NOWS),
        draw(NOWS),
        tuple(draw(NOWS) for _ in deliveries),
        tuple(draw(CONNECTED) for _ in deliveries),
        None,
        None,
        draw(CONNECTED),
    )
    ledgers = [
        DeliveryDurations(draw(LENGTHS), draw(LENGTHS), draw(LENGTHS), draw(LENGTHS), draw(LENGTHS)) for _ in deliveries
    ]
    return CameraAccount(
        camera=camera,
        now=draw(st.none() | st.just(now)),
        account=Account(Durations(*(draw(LENGTHS) for _ in DURATION_NAMES)), tuple(ledgers)),
        places=(),
    )


@st.composite
def portions(draw: st.DrawFn) -> list[list[CameraAccount]]:
    facilities = draw(st.lists(FACILITIES, min_size=1, max_size=3))
    return draw(st.lists(st.lists(camera_accounts(facilities), max_size=4), max_size=3))


@pytest.mark.slow
@pytest.mark.parametrize("dialect", Dialect)
@given(given_portions=portions())
def test_pieces_make_what_the_csv_module_writes(dialect: Dialect, given_portions: list[list[CameraAccount]]) -> None:
    table = ComplianceTable(QUESTION, dialect)
    made = table.header() + b"".join(table.rows(portion) for portion in given_portions)
    assert made == plain(dialect, [one for portion in given_portions for one in portion])


def plain(dialect: Dialect, accounts: list[CameraAccount]) -> bytes:
    """Row by row, cell by cell, nothing remembered."""
    comma = dialect is Dialect.EXCEL_VI
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";" if comma else ",", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in accounts:
        camera = [number(cell, comma) for cell in camera_cells(one)]
        for index, planned in enumerate(one.camera.deliveries):
            now = one.now.deliveries[index] if one.now else None
            connected = one.now.connected[index] if one.now else None
            cells = delivery_cells(planned, now, connected, one.account.deliveries[index])
            writer.writerow(camera + [number(cell, comma) for cell in cells])
        if not one.camera.deliveries:
            writer.writerow(camera + [""] * DELIVERY_COLUMNS)
    return (BOM + file.getvalue()).encode()


type Cell = str | float | UUID | None


def camera_cells(one: CameraAccount) -> list[Cell]:
    camera, facility, time = one.camera, one.camera.facility, one.account.camera
    percents: list[Cell] = []
    for parts in (
        (time.up, time.down, time.unknown),
        (time.compliant, time.non_compliant, time.compliance_unknown),
    ):
        for percent in percentages(*parts):
            short = rounded(percent)
            percents += [percent, None if short is None else Rounded(short)]
    return [
        at(QUESTION.period.start), at(QUESTION.period.end), at(QUESTION.now), "2",
        facility.unit.id, harmless(facility.unit.code), harmless(facility.unit.name),
        facility.agency.id, harmless(facility.agency.code), harmless(facility.agency.name),
        facility.id, harmless(facility.code), harmless(facility.name), facility.type, truth(facility.restricted),
        camera.id, harmless(camera.code), harmless(camera.name), *absence_cells(one),
        *now_cells(one.now.camera if one.now else None), *confirmed_cells(one),
        truth(one.now.compliant if one.now else None),
        *(length / 1000 for length in time.lengths), *percents,
    ]  # fmt: skip


def delivery_cells(planned: Delivery, now: Now | None, connected: bool | None, time: DeliveryDurations) -> list[Cell]:
    to = planned.destination
    verified = planned.verified_at
    return [
        planned.id, to.id, harmless(to.code), harmless(to.name), planned.role, planned.required_proof,
        truth(planned.enabled), *now_cells(now), truth(connected),
        *(getattr(time, name) / 1000 for name in LEDGER_NAMES),
        None if verified is None else at((verified - moment(0)) // timedelta(milliseconds=1)), planned.delay_s,
    ]  # fmt: skip


def now_cells(now: Now | None) -> list[Cell]:
    return [None, None, None] if now is None else [now.state, now.cause, at(now.since)]


def confirmed_cells(one: CameraAccount) -> list[Cell]:
    return [None, None] if one.now is None else [one.now.confirmed.state, at(one.now.confirmed.since)]


def absence_cells(one: CameraAccount) -> list[Cell]:
    absence = one.camera.pieces[-1].value.absence
    if absence is None or not one.account.camera.out_of_scope:
        return [None, None, None]
    return [absence.reason.value, harmless(absence.by), harmless(absence.why)]


class Rounded(str):
    """A number that is text already."""

    __slots__ = ()


def number(cell: Cell, comma: bool) -> object:
    if isinstance(cell, float | Rounded):
        written = repr(cell) if isinstance(cell, float) else str(cell)
        return written.replace(".", ",") if comma else written
    return cell


def harmless(value: str | None) -> str | None:
    return f"'{value}" if value and value[0] in "=+-@\t\r" else value


def truth(value: bool | None) -> str:
    return {None: "", True: "true", False: "false"}[value]


def at(instant: int | None) -> str | None:
    if instant is None:
        return None
    return moment(instant).astimezone(VIETNAM).isoformat(timespec="milliseconds")

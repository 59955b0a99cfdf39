"""Every table is a file in four formats: analysts' readers open each, and the four say the same."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import frictionless
import polars
import pytest
from services.reporting.tests.conftest import Client, Start
from services.reporting.tests.stage.letter import Letter
from services.reporting.tests.stage.province import Province
from services.reporting.tests.tables.readers import READ, READERS, Frame, same, undated, values_of, wrongly_seen
from services.reporting.tests.tables.sample import clock_set_back, stream_gone

from reporting.domain.instants import millis
from reporting.ingest.handlers import Ingest
from reporting.reports.availability.bookkeeping import bookkeeper_of
from reporting.settings import Settings
from reporting.storage.availability.tables import late_evidence
from reporting.storage.upkeep.tables import clock_step, stream_loss
from reporting.tables import Format
from reporting.tables.catalogue import SOURCES
from reporting.tables.formats import MEDIA_TYPES
from vonggac.auth import Role
from vonggac.database import Database
from vonggac.events.inventory import FacilityType
from vonggac.testing.waiting import eventually

START, END = datetime(2026, 11, 18, 20, 30, tzinfo=UTC), datetime(2026, 11, 21, 1, tzinfo=UTC)
PERIOD = {"from": START.isoformat(), "to": END.isoformat()}
DAY_MS = 86_400_000


async def some_days(ingest: Ingest, province: Province) -> None:
    """Three cameras: up with outages, refused at one centre, never seen; a facility without cameras; what is owed."""
    province.now, letter = END, Letter(province, begin=START)
    seen, refused, unseen = (province.camera(f"CAM-0{number}") for number in (1, 2, 3))
    empty = province.facility_state(
        id=province.agency, code="KCL-02", name='=Trống, "chưa có"; camera', type=FacilityType.HOTEL
    )
    window = province.window(START + timedelta(hours=3), START + timedelta(hours=4), camera_id=seen.id)
    down = START + timedelta(hours=9)
    await province.feed(
        ingest,
        *province.base(),
        province.stated("facility", empty),
        *(province.stated("camera", camera) for camera in (seen, refused, unseen)),
        province.stated("maintenance_window", window),
        province.stated("obligation", letter.obligation("NV-1742-B", "connection", due_before=END)),
        province.stated("obligation", letter.obligation("NV-1742-E", "report", due_before=None)),
        *province.watched(END),
        *province.probes(seen, START, down, every_s=600),
        *province.probes(seen, down, down + timedelta(hours=2), "down", cause="timeout", every_s=600),
        *province.probes(seen, down + timedelta(hours=2), END, every_s=600),
        *province.probes(refused, START, END, every_s=600),
        province.change(seen.deliveries[0], seen, 1, START, "acknowledged"),
        province.change(seen.deliveries[1], seen, 2, START, "acknowledged"),
        province.change(refused.deliveries[0], refused, 3, START, "acknowledged"),
        province.change(refused.deliveries[1], refused, 4, START, "refused", cause="refused"),
        province.read_back(seen.deliveries[0], seen, START, delay_s=1.25),
    )


async def fed(client: Client) -> None:
    """Wait until the service is connected: one that stops while it connects leaves a socket open."""

    async def ready() -> bool:
        return (await client.get("/readyz")).status_code == 200

    await eventually(ready)


async def get(client: Client, name: str, form: Format, **given: str) -> bytes:
    period = PERIOD if SOURCES[name].table.periodic else {}
    answer = await client.get(f"/v1/tables/{name}", params={**period, "format": form.value, **given})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[form]
    return answer.content


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:The default engine for reading")
async def test_every_reader_opens_every_file_of_every_table_and_all_agree(
    client: Client, ingest: Ingest, province: Province, database: Database, tmp_path: Path
) -> None:
    await some_days(ingest, province)
    async with database.transaction() as session:
        row = {"camera_id": uuid4(), "day": END.date(), "what": "probe", "noticed_at": END, "written_at": END}
        deliveries = {str(uuid4()): {"change": {"connected": -1}, "by_cause": {"refused": 1}}}
        await session.execute(late_evidence.insert().values(**row, change={"up": 600_000}, deliveries=deliveries))
        await session.execute(stream_loss.insert().values(**stream_gone(START - timedelta(days=1))))
        await session.execute(clock_step.insert().values(**clock_set_back(START - timedelta(days=1))))
    for name, source in SOURCES.items():
        paths = {form: tmp_path / f"{name}.{form}" for form in Format}
        for form, path in paths.items():
            path.write_bytes(await get(client, name, form))
        if name == "lost_facts":
            continue
        right = values_of(source.table, Format.PARQUET, READERS["polars"](paths[Format.PARQUET]))
        assert right or name in {"site_faults", "urges"}, name
        for reader, form in READ:
            if not right and form is not Format.PARQUET:
                continue
            frame: Frame = READERS[reader](paths[form])
            assert wrongly_seen(source.table, form, frame) == {}, (name, reader, form)
            found = values_of(source.table, form, frame)
            assert len(found) == len(right)
            for one, other in zip(found, right, strict=True):
                assert same(undated(source.table, one), undated(source.table, other)), (name, reader, form)


async def test_frictionless_validates_the_package(
    client: Client, ingest: Ingest, province: Province, tmp_path: Path
) -> None:
    await some_days(ingest, province)
    package = (await client.get("/v1/datapackage.json")).json()
    (tmp_path / "datapackage.json").write_text(json.dumps(package))
    for name in SOURCES:
        (tmp_path / f"{name}.csv").write_bytes(await get(client, name, Format.CSV))
    report = frictionless.Package(str(tmp_path / "datapackage.json")).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "type", "message"])
    assert {task.name: task.stats.get("rows") for task in report.tasks}["facts"] == 3 * (3 * 2 + 1)
    broken = (tmp_path / "facts.csv").read_text().replace("national", "elsewhere")
    (tmp_path / "facts.csv").write_text(broken)
    assert not frictionless.Package(str(tmp_path / "datapackage.json")).validate().valid


async def test_facts_of_a_delivery_add_up_to_its_row_and_each_day_to_itself(
    client: Client, ingest: Ingest, province: Province
) -> None:
    await some_days(ingest, province)
    parts = ("connected_ms", "not_connected_ms", "maintenance_ms", "unknown_ms", "out_of_scope_ms")
    facts = json.loads(await get(client, "facts", Format.JSON))
    whole = json.loads(await get(client, "deliveries", Format.JSON))
    days = sorted({(row["day"], row["day_ms"]) for row in facts})
    assert [day for day, _ in days] == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert [length for _, length in days] == [DAY_MS - 12_600_000, DAY_MS, 8 * 3_600_000]
    for row in facts:
        if row["delivery_id"] is not None:
            assert sum(row[part] for part in parts) == row["day_ms"]
    for delivery in whole:
        of_it = [row for row in facts if row["delivery_id"] == delivery["delivery_id"] is not None]
        for part in parts:
            if of_it:
                assert sum(row[part] for row in of_it) == delivery[part]


async def test_facts_are_the_same_by_the_ledger_and_moment_by_moment(
    client: Client, ingest: Ingest, province: Province, database: Database, settings: Settings
) -> None:
    """Also of a camera that moved, and in a report of the facility that it left."""
    await some_days(ingest, province)
    moved_to = province.facility_state(id=uuid4(), code="KCL-03")
    before = province.camera("CAM-09")
    after = before.model_copy(
        update={"revision": 2, "facility_id": moved_to.id, "changed_at": START + timedelta(hours=30)}
    )
    await province.feed(
        ingest,
        province.stated("facility", moved_to),
        province.stated("camera", before),
        province.stated("camera", after),
        *province.probes(before, START, END, every_s=600),
    )
    asked = [{}, {"facility": "KCL-01"}, {"facility": "KCL-03"}]
    names = ("facts", "camera_days", "cameras", "deliveries", "facilities")
    direct = [json.loads(await get(client, name, Format.JSON, **given)) for name in names for given in asked]
    days = await bookkeeper_of(database, settings).keep(millis(datetime.now(UTC)))
    assert days > 2
    ledgered = [json.loads(await get(client, name, Format.JSON, **given)) for name in names for given in asked]
    for one, other in zip(direct, ledgered, strict=True):
        assert [_unstamped(row) for row in one] == [_unstamped(row) for row in other]
    of_moved = [row for row in ledgered[0] if row["camera_id"] == str(before.id)]
    assert {row["day"]: row["facility_code"] for row in of_moved} == {
        "2026-11-19": "KCL-01", "2026-11-20": "KCL-03", "2026-11-21": "KCL-03"
    }  # fmt: skip


def _unstamped(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "generated_at"}


async def test_days_are_those_of_the_time_zone_that_is_asked_for(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """Both cuts of the period have the same sums; a day on which the clock is put back has 25 hours."""
    await some_days(ingest, province)
    here = json.loads(await get(client, "camera_days", Format.JSON))
    there = json.loads(await get(client, "camera_days", Format.JSON, time_zone="America/New_York"))
    assert {row["day"] for row in there} == {"2026-11-18", "2026-11-19", "2026-11-20"}
    assert {row["time_zone"] for row in there} == {"America/New_York"}
    assert there[0]["period_from"] == "2026-11-18T15:30:00.000-05:00"
    for name in ("up_ms", "down_ms", "unknown_ms", "day_ms"):
        sums = [sum(row[name] or 0 for row in rows if row["camera_id"]) for rows in (here, there)]
        assert sums[0] == sums[1] > 0
    autumn = {"from": "2026-10-31", "to": "2026-11-03", "time_zone": "America/New_York", "format": "json"}
    facts = (await client.get("/v1/facts", params=autumn)).json()
    assert {row["day"]: row["day_ms"] for row in facts}["2026-11-01"] == 25 * 3_600_000


async def test_facts_of_a_camera_add_up_to_its_row(client: Client, ingest: Ingest, province: Province) -> None:
    await some_days(ingest, province)
    days = json.loads(await get(client, "camera_days", Format.JSON))
    for camera in json.loads(await get(client, "cameras", Format.JSON)):
        if camera["camera_id"] is None:
            continue
        of_it = [row for row in days if row["camera_id"] == camera["camera_id"]]
        for name in ("up_ms", "down_ms", "compliant_ms", "both_ms", "maintenance_ms", "unknown_ms"):
            assert sum(row[name] for row in of_it) == camera[name]


async def test_availability_of_a_facility_and_day_is_the_sum_of_its_cameras(
    client: Client, ingest: Ingest, province: Province
) -> None:
    await some_days(ingest, province)
    lines = json.loads(await get(client, "availability", Format.JSON))
    days = json.loads(await get(client, "camera_days", Format.JSON))
    assert [(row["group_code"], row["cameras"]) for row in lines] == [("KCL-01", 3), ("KCL-02", 0)] * 3
    for line in lines:
        of_it = [
            row
            for row in days
            if row["facility_id"] == line["group_id"] and row["camera_id"] and row["day"] == line["stretch_from"][:10]
        ]
        for name in ("up_ms", "down_ms", "compliant_ms", "unknown_ms", "out_of_scope_ms"):
            assert sum(row[name] for row in of_it) == line[name]
    whole = {**PERIOD, "format": "csv", "by": "total"}
    (total,) = csv.DictReader(io.StringIO((await client.get("/v1/availability", params=whole)).text, newline=""))
    assert int(total["up_ms"]) == sum(line["up_ms"] for line in lines)


@pytest.mark.parametrize("by", ["camera", "delivery", "destination", "unit", "total"])
@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX, Format.PARQUET])
async def test_availability_by_anything_is_a_file_with_the_figures_of_its_json(
    client: Client, ingest: Ingest, province: Province, tmp_path: Path, by: str, form: Format
) -> None:
    await some_days(ingest, province)
    asked = {**PERIOD, "by": by, "every": "day"}
    lines = (await client.get("/v1/availability", params={**asked, "limit": "1000"})).json()["items"]
    answer = await client.get("/v1/availability", params={**asked, "format": form.value})
    assert answer.status_code == 200, answer.text
    path = tmp_path / f"availability.{form}"
    path.write_bytes(answer.content)
    rows = read_rows(path)
    key = "delivery_milliseconds" if by in {"delivery", "destination"} else "milliseconds"
    name = "connected" if by in {"delivery", "destination"} else "up"
    assert len(lines) == len(rows) > 0
    assert sorted(int(row[f"{name}_ms"]) for row in rows) == sorted(line[key][name] for line in lines)
    assert {row["grouped_by"] for row in rows} == {by}


@pytest.mark.parametrize("by", ["camera", "facility", "total"])
@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX, Format.PARQUET])
async def test_availability_with_outages_is_a_file_with_the_figures_of_its_json(
    client: Client, ingest: Ingest, province: Province, tmp_path: Path, by: str, form: Format
) -> None:
    await some_days(ingest, province)
    asked = {**PERIOD, "by": by, "every": "day", "outages": "true"}
    lines = (await client.get("/v1/availability", params={**asked, "limit": "1000"})).json()["items"]
    answer = await client.get("/v1/availability", params={**asked, "format": form.value})
    assert answer.status_code == 200, answer.text
    path = tmp_path / f"outages.{form}"
    path.write_bytes(answer.content)
    found = {(row["group_code"], str(row["stretch_from"])[:10]): row for row in read_rows(path)}
    wanted = {(line["code"], line["start"][:10]): line["outages"] for line in lines}
    assert len(found) == len(wanted) > 0
    assert any(each["count"] for each in wanted.values())
    for row, each in zip(found.values(), wanted.values(), strict=True):
        stated = [row[name] for name in ("outages", "outages_unconfirmed", "site_faults", "outages_ms")]
        assert stated == [each[name] for name in ("count", "unconfirmed", "site_faults", "down_ms")]
        assert [row["mttr_ms"], row["mtbf_ms"], row["longest_ms"]] == [
            each[name] if each[name] is None else pytest.approx(each[name])
            for name in ("mttr_ms", "mtbf_ms", "longest_ms")
        ]
        causes = " ".join(f"{cause}={length}" for cause, length in each["by_cause_ms"].items())
        assert (row["down_by_cause"] or "") == causes


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file as polars sees them."""
    readers: dict[str, Callable[[Path], polars.DataFrame]] = {
        ".csv": polars.read_csv,
        ".parquet": polars.read_parquet,
        ".xlsx": lambda one: polars.read_excel(one, engine="openpyxl"),
    }
    frame = readers[path.suffix](path)
    return [dict(row) for row in frame.to_dicts()]


async def test_a_facility_without_cameras_is_in_every_table_of_places(
    client: Client, ingest: Ingest, province: Province
) -> None:
    await some_days(ingest, province)
    for name, rows in {"cameras": 1, "deliveries": 1, "facts": 3, "camera_days": 3}.items():
        found = [row for row in json.loads(await get(client, name, Format.JSON)) if row["facility_code"] == "KCL-02"]
        assert [row["camera_id"] for row in found] == [None] * rows
    facilities = {row["code"]: row for row in json.loads(await get(client, "facilities", Format.JSON))}
    assert facilities["KCL-02"]["cameras_total"] == 0


async def test_what_a_spreadsheet_would_run_is_text(client: Client, ingest: Ingest, province: Province) -> None:
    await some_days(ingest, province)
    (_, row) = csv.DictReader(io.StringIO((await get(client, "facilities", Format.CSV)).decode(), newline=""))
    assert row["name"] == '\'=Trống, "chưa có"; camera'
    assert json.loads(await get(client, "facilities", Format.JSON))[1]["name"] == row["name"][1:]


@pytest.mark.parametrize(("path", "table"), [
    ("/v1/compliance", "cameras"),
    ("/v1/overview", "totals"),
    ("/v1/availability", "availability"),
    ("/v1/outages", "outages"),
    ("/v1/site-faults", "site_faults"),
    ("/v1/maintenance", "maintenance"),
    ("/v1/lost-facts", "lost_facts"),
    ("/v1/facts", "facts"),
])  # fmt: skip
async def test_a_report_gives_its_table_by_format_and_by_accept(
    client: Client, ingest: Ingest, province: Province, path: str, table: str
) -> None:
    await some_days(ingest, province)
    period = PERIOD if SOURCES[table].table.periodic else {}
    right = (await get(client, table, Format.CSV)).partition(b"\r\n")[0]
    for form in (Format.CSV, Format.XLSX, Format.PARQUET):
        by_format = await client.get(path, params={**period, "format": form.value})
        by_accept = await client.get(path, params=period, headers={"Accept": f"{MEDIA_TYPES[form]}, */*;q=0.1"})
        for answer in (by_format, by_accept):
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[form]
            assert f'filename="{table}-' in answer.headers["content-disposition"]
            assert answer.headers["content-disposition"].endswith(f'.{form}"')
        if form is Format.CSV:
            assert by_format.content.partition(b"\r\n")[0] == by_accept.content.partition(b"\r\n")[0] == right


async def test_the_intervals_of_one_camera_and_one_delivery_are_files_too(
    client: Client, ingest: Ingest, province: Province
) -> None:
    await some_days(ingest, province)
    rows = json.loads(await get(client, "delivery_intervals", Format.JSON))
    for noun, key in (("cameras", "camera_id"), ("deliveries", "delivery_id")):
        thing = rows[0][key]
        address = f"/v1/{noun}/{thing}/intervals"
        answer = await client.get(address, params={**PERIOD, "format": "csv"})
        found = [*csv.DictReader(io.StringIO(answer.text, newline=""))]
        shown = (await client.get(address, params=PERIOD)).json()["intervals"]
        assert {row[key] for row in found} == {thing}
        assert [(row["state"], int(row["interval_ms"])) for row in found] == [
            (one["state"], round(one["seconds"] * 1000)) for one in shown
        ]


REFUSED: list[tuple[str, dict[str, str], dict[str, str], int, str]] = [
    ("/v1/tables/cameras", {"format": "pdf"}, {}, 422, "'json', 'csv', 'xlsx' or 'parquet'"),
    ("/v1/tables/cameras", {}, {"Accept": "application/pdf"}, 406, "format=json, csv, xlsx or parquet"),
    ("/v1/facts", {"format": "parquet", "dialect": "excel-vi"}, {}, 422, "dialect: is of csv and xlsx"),
    ("/v1/outages", {"format": "csv", "limit": "10"}, {}, 422, "limit: is of the pages in JSON"),
    ("/v1/tables/horses", {}, {}, 404, "cameras"),
    ("/v1/tables/lost_facts", {"from": "2026-11-01"}, {}, 422, "of all times"),
    ("/v1/tables/maintenance", {"unit": "465"}, {}, 422, "does not narrow"),
    ("/v1/facts", {"facility": "nowhere"}, {}, 422, "no facility"),
    ("/v1/compliance", {"table": "units"}, {}, 422, "is of csv, xlsx and parquet"),
    ("/v1/availability", {"outages": "true", "by": "delivery", "format": "csv"}, {}, 422, "are of cameras"),
]


async def test_what_no_file_can_be_made_of_is_refused_in_words(client: Client) -> None:
    await fed(client)
    for path, given, headers, status, says in REFUSED:
        answer = await client.get(path, params=given, headers=headers)
        assert answer.status_code == status, (path, given)
        assert answer.headers["content-type"] == "application/problem+json"
        assert says in answer.text


async def test_a_reader_without_the_right_to_export_gets_json_alone(start: Start, client: Client) -> None:
    await fed(client)
    async with start(role=Role.FACILITY, scope=(f"facility:{uuid4()}",)) as facility:
        await fed(facility)
        assert (await facility.get("/v1/tables/cameras", params=PERIOD)).status_code == 200
        refused = await facility.get("/v1/tables/cameras", params={**PERIOD, "format": "parquet"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_the_list_of_tables_says_what_their_columns_hold(client: Client) -> None:
    await fed(client)
    tables = {table["name"]: table for table in (await client.get("/v1/tables")).json()["items"]}
    assert tables.keys() == SOURCES.keys()
    up = next(one for one in tables["camera_days"]["columns"] if one["name"] == "up_ms")
    assert (up["unit"], up["heading"], up["kind"]) == ("ms", "Hoạt động (ms)", "duration")
    page = (await client.get("/v1/data-dictionary.md")).text
    for name in tables:
        assert f"\n## {name}\n" in page

"""The board of the letter's own days: who is surveyed, agreed and connected, at any instant, group by group."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pandas
import pytest
import pytest_asyncio
from services.reporting.tests.stage.letter import Letter, may
from sqlalchemy import text

from reporting.domain.mandate.progress import COUNT_NAMES
from vonggac.events.inventory import (
    CameraV1,
    EarlierUnit,
    FacilityStatus,
    FacilityType,
    FacilityV1,
    RemovedV1,
    SurveyStatus,
)
from vonggac.sufficiency import REQUIRED_AREAS

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload

STOOD = "2021-05-09T23:30:00+07:00"
"""The connected cameras are up from 09/5 22:00 to 10/5 12:00."""


@dataclass
class Story:
    """A province in May 2021. A: surveyed, agreed, connected. B: surveyed, one centre only. C: no cameras, blocked."""

    letter: Letter
    a: FacilityV1
    b: FacilityV1
    c: FacilityV1
    survey_b: Any
    cameras: dict[str, CameraV1] = field(default_factory=dict)

    @staticmethod
    def of(province: Province) -> Story:
        letter = Letter(province)
        a, b = letter.facility("A"), letter.facility("B", type=FacilityType.HOTEL)
        c = letter.facility("C", status=FacilityStatus.APPROVED, managing_agency_id=letter.lead)
        return Story(letter, a, b, c, letter.survey(b, may(8), "submitted"))

    def events(self) -> list[CloudEvent[Payload]]:
        letter = self.letter
        self.cameras = {one: letter.camera(place, f"{one}-C01") for one, place in (("A", self.a), ("B", self.b))}
        things: list[tuple[str, Any]] = [("facility", one) for one in (self.a, self.b, self.c)]
        things += [("camera", one) for one in self.cameras.values()]
        things += [
            ("survey", letter.survey(self.a, may(8))),
            ("survey", self.survey_b),
            ("connection_plan", letter.plan(self.a, may(8, 10), cameras=["A-C01"])),
            ("focal_point", letter.focal_point(self.a, date(2021, 5, 8))),
            ("focal_point", letter.focal_point(self.b, date(2021, 5, 8), date(2021, 5, 9))),
            ("blocked_reason", letter.blocked(self.c, date(2021, 5, 9))),
            ("obligation", letter.obligation("NV-1742-A", "survey_and_plan", with_cameras=True)),
            ("obligation", letter.obligation("NV-1742-B", "connection")),
        ]
        things += [
            ("coverage", letter.coverage(self.a, area, "covered" if area == "gate" else "not_applicable", may(8)))
            for area in REQUIRED_AREAS
        ]
        facts = letter.connected(self.cameras["A"], may(9, 22), may(10, 12))
        facts += letter.connected(self.cameras["B"], may(9, 22), may(10, 12))
        to_provincial = self.cameras["B"].deliveries[1].id
        facts = [one for one in facts if getattr(one.data, "delivery_id", None) != to_provincial]
        stalled = letter.province.change(self.cameras["B"].deliveries[1], self.cameras["B"], 3, may(9, 22), "stalled")
        return [*letter.base(), *(letter.stated(noun, thing) for noun, thing in things), *facts, stalled]


@pytest_asyncio.fixture
async def story(province: Province, ingest: Ingest, client: Client) -> Story:
    made = Story.of(province)
    await province.feed(ingest, *made.events())
    return made


async def read(client: Client, path: str = "/v1/progress", **asked: Any) -> dict[str, Any]:
    answer = await client.get(path, params={"as_of": STOOD, **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_board_of_the_eve_of_the_deadline(client: Client, story: Story) -> None:
    board = await read(client)
    totals = board["totals"]
    found = {name: totals[name] for name in (
        "facilities", "with_cameras", "without_cameras", "surveyed", "plan_agreed", "connected_national",
        "connected_provincial", "connected_both", "connection_unknown", "sufficient", "insufficient", "unassessed",
        "overdue",
        "blocked", "without_focal_point", "cameras", "cameras_both",
    )}  # fmt: skip
    assert found == {
        "facilities": 3, "with_cameras": 2, "without_cameras": 1, "surveyed": 1, "plan_agreed": 1,
        "connected_national": 2, "connected_provincial": 1, "connected_both": 1, "connection_unknown": 0,
        "sufficient": 1, "insufficient": 0, "unassessed": 2, "overdue": 0,
        "blocked": 1, "without_focal_point": 1, "cameras": 2,
        "cameras_both": 1,
    }  # fmt: skip
    assert totals["blocked_by"] == {"security_lock": 1}
    assert totals["facilities_both_percent_rounded"] == "33.33"
    assert totals["cameras_both_percent"] == 50.0
    assert [(one["code"], one["facilities"]) for one in board["by_type"]] == [("hotel", 1), ("school", 2)]
    assert [(one["code"], one["name"]) for one in board["by_unit"]] == [("465", "Huyện Hướng Hóa")]
    assert story.a.code == "A"


async def test_a_minute_into_the_10th_what_is_not_done_is_overdue(client: Client, story: Story) -> None:
    assert story.cameras
    after = await read(client, as_of="2021-05-10T00:00:00+07:00")
    rows = (await read(client, "/v1/progress/facilities", as_of="2021-05-10T00:00:00+07:00"))["items"]
    assert after["totals"]["overdue"] == 2
    overdue = {row["facility"]["code"]: row["overdue"] for row in rows}
    assert overdue == {"A": [], "B": ["NV-1742-A", "NV-1742-B"], "C": ["NV-1742-B"]}
    # The focal point of B was in office until the 9th, included.
    assert after["totals"]["without_focal_point"] == 2


@pytest.mark.parametrize("group", ["by_unit", "by_agency", "by_type"])
async def test_the_totals_are_the_sum_of_the_lines(client: Client, story: Story, group: str) -> None:
    assert story.cameras
    for instant in ("2021-05-06", "2021-05-09", STOOD, "2021-05-20"):
        board = await read(client, as_of=instant)
        for name in COUNT_NAMES:
            assert sum(line[name] for line in board[group]) == board["totals"][name], (name, instant)


async def test_the_lines_and_the_facilities_agree(client: Client, story: Story) -> None:
    assert story.cameras
    totals = (await read(client))["totals"]
    page = await read(client, "/v1/progress/facilities", limit="2", total="true")
    rows = page["items"]
    while page["next"]:
        page = await read(client, "/v1/progress/facilities", limit="2", total="true", cursor=page["next"])
        rows += page["items"]
    assert [row["facility"]["code"] for row in rows] == ["A", "B", "C"]
    for name in ("surveyed", "plan_agreed", "connected_national", "connected_provincial", "connected_both"):
        assert sum(row[name] is True for row in rows) == totals[name]
    assert sum(row["cameras"] for row in rows) == totals["cameras"]
    assert [row["connected_provincial"] for row in rows] == [True, False, False]
    lacking = await read(client, "/v1/progress/facilities", lacking="connected_both")
    assert [row["facility"]["code"] for row in lacking["items"]] == ["B", "C"]


async def test_the_board_and_the_compliance_report_agree(client: Client, ingest: Ingest, province: Province) -> None:
    """The same word of the accounts, now: no number has two sources."""
    now = datetime.now(UTC)
    letter = Letter(province, begin=now - timedelta(days=1))
    facility = letter.facility("A")
    cameras = [letter.camera(facility, f"A-C0{number}") for number in range(3)]
    facts = [one for camera in cameras[:2] for one in letter.connected(camera, now - timedelta(hours=1), now)]
    facts = [one for one in facts if getattr(one.data, "state", None) != "released"]
    things = [letter.stated("facility", facility), *(letter.stated("camera", one) for one in cameras)]
    await province.feed(ingest, *letter.base(), *things, *facts)
    compliance = (await client.get("/v1/compliance")).json()["totals"]
    board = (await client.get("/v1/progress")).json()["totals"]
    assert board["cameras"] == compliance["cameras"]["total"] == 3
    assert board["cameras_both"] == compliance["cameras"]["compliant"] == 2
    assert board["cameras_unknown"] == compliance["cameras"]["connection_unknown"] == 1
    assert board["facilities"] == compliance["facilities"]["total"] == 1
    assert board["with_cameras"] == compliance["facilities"]["with_cameras"] == 1


async def test_what_changes_today_changes_no_board_before_today(
    client: Client, ingest: Ingest, province: Province, story: Story
) -> None:
    instants = ["2021-05-06", "2021-05-08T05:00:00+07:00", STOOD, "2021-05-10T11:00:00+07:00"]
    paths = ("/v1/progress", "/v1/progress/facilities", "/v1/progress/facilities/B", "/v1/obligations")

    async def all_boards() -> list[dict[str, Any]]:
        found = [await read(client, path, as_of=at) for path in paths for at in instants if at != "2021-05-06"]
        for one in found:
            one.pop("generated_at", None)
        return found

    before, letter = await all_boards(), story.letter
    later = may(12)
    approved = letter.later(story.survey_b, later, status=SurveyStatus.APPROVED, approved_at=later)
    gone = RemovedV1(id=story.c.id, noun="facility", revision=2, removed_at=later)
    (unit,) = [one.data for one in letter.base() if one.subject.startswith("unit/")]
    changes: list[tuple[str, Any]] = [
        ("survey", approved),
        ("connection_plan", letter.plan(story.b, later, cameras=["B-C01"])),
        ("facility", letter.later(story.a, later, name="Tên mới", type=FacilityType.HOTEL)),
        ("facility", gone),
        ("unit", letter.later(unit, later, name="Xã Hướng Hóa", code="19429")),
        ("camera", letter.later(story.cameras["A"], later, enabled=False, area="yard")),
        ("blocked_reason", letter.blocked(story.b, date(2021, 5, 12)).model_copy(update=letter.known(later))),
        ("obligation", letter.obligation("NV-NEW", "focal_point", **letter.known(later))),
    ]
    await province.feed(ingest, *(letter.stated(noun, thing) for noun, thing in changes))
    assert await all_boards() == before
    after = await read(client, as_of="2021-05-13")
    assert [after["totals"][name] for name in ("facilities", "surveyed", "plan_agreed", "blocked")] == [2, 2, 2, 1]
    assert [one["name"] for one in after["by_unit"]] == ["Xã Hướng Hóa"]


async def test_a_unit_that_ended_heads_no_row_of_after_its_end_and_keeps_those_before(
    client: Client, ingest: Ingest, province: Province, story: Story
) -> None:
    letter = story.letter
    (unit,) = [one.data for one in letter.base() if one.subject.startswith("unit/")]
    ended = letter.later(unit, may(20), valid_to=date(2021, 5, 31))
    after = unit.model_copy(
        update={
            "id": uuid4(),
            "code": "19429",
            "name": "Xã Khe Sanh",
            "changed_at": may(20),
            "created_at": may(20),
            "succeeds": (EarlierUnit(unit_id=province.unit, kind="merged"),),
        }
    )
    await province.feed(ingest, letter.stated("unit", ended), letter.stated("unit", after))
    (before,) = (await read(client))["by_unit"]
    (last,) = (await read(client, as_of="2021-05-31"))["by_unit"]
    (line,) = (await read(client, as_of="2021-06-02"))["by_unit"]
    assert (before["name"], before["ended_on"], before["succeeded_by"]) == ("Huyện Hướng Hóa", None, [])
    assert (last["name"], last["ended_on"]) == ("Huyện Hướng Hóa", "2021-05-31")
    assert (line["name"], line["code"], line["ended_on"]) == ("Xã Khe Sanh", "19429", None)
    assert (line["facilities"], before["facilities"]) == (3, 3)


async def test_one_facility_is_shown_with_its_cameras_and_what_it_owes(client: Client, story: Story) -> None:
    assert story.cameras
    detail = await read(client, "/v1/progress/facilities/B")
    (camera,) = detail["camera_rows"]
    shown = {name: camera[name] for name in ("code", "area", "state", "connected_national", "connected_provincial")}
    assert shown == {
        "code": "B-C01", "area": "gate", "state": "up", "connected_national": True, "connected_provincial": False,
    }  # fmt: skip
    assert [(one["code"], one["state"]) for one in detail["obligations"]] == [
        ("NV-1742-A", "due_soon"),
        ("NV-1742-B", "due_soon"),
    ]
    assert detail["missing_areas"] == [area for area in REQUIRED_AREAS if area != "gate"]
    by_id = await read(client, f"/v1/progress/facilities/{story.b.id}")
    assert by_id == detail
    missing = await client.get("/v1/progress/facilities/B", params={"as_of": "2021-04-01"})
    unknown = await client.get("/v1/progress/facilities/XYZ")
    assert (missing.status_code, unknown.status_code) == (404, 404)
    assert "no facility B of 2021-04-01" in missing.json()["detail"]


async def test_what_changed_since_an_instant_is_listed(client: Client, story: Story) -> None:
    assert story.cameras
    since = "2021-05-08T05:00:00+07:00"
    board = await read(client, since=since)
    page = await read(client, "/v1/progress/changes", since=since, total="true")
    changed = {(one["facility"]["code"], one["field"]): (one["before"], one["after"]) for one in page["items"]}
    assert changed["A", "plan_agreed"] == ("no", "yes")
    assert changed["A", "connected_both"] == ("unknown", "yes")
    assert changed["C", "blocked"] == (None, "security_lock")
    assert ("A", "surveyed") not in changed
    assert board["changes"] == page["total"] == len(changed)
    assert board["totals_since"]["plan_agreed"] == 0


async def test_the_file_of_what_changed_has_the_changes_of_the_pages(client: Client, story: Story) -> None:
    assert story.cameras
    since = "2021-05-08T05:00:00+07:00"
    pages = (await read(client, "/v1/progress/changes", since=since, limit="1000"))["items"]
    shown = sorted((one["facility"]["id"], one["field"], one["before"] or "", one["after"] or "") for one in pages)
    asked = {"as_of": STOOD, "since": since, "format": "csv"}
    for path, given in (
        ("/v1/progress/changes", asked),
        ("/v1/tables/progress_changes", {"from": since, "to": STOOD, "format": "csv"}),
    ):
        answer = await client.get(path, params=given)
        assert answer.headers["content-type"].startswith("text/csv"), answer.text
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
        found = sorted((row["facility_id"], row["field"], row["before"], row["after"]) for row in rows)
        assert found == shown
        assert {(row["period_from"][:19], row["period_to"][:19]) for row in rows} == {(since[:19], STOOD[:19])}
    of_one = await client.get("/v1/progress/changes", params={**asked, "facility": "A"})
    assert 0 < len(of_one.text.splitlines()) - 1 < len(shown)


FROZEN = """
    insert into frozen_report (number, id, version, frozen_at, starts_at, ends_at, author, sha256, document)
        values (1, gen_random_uuid(), 1, '2021-05-08T06:00:00+07', '2021-05-07T00:00:00+07', '2021-05-08T05:00:00+07',
                'lead', 'a', '{}')
"""


async def test_what_changed_since_the_last_report_is_what_changed_since_the_end_of_its_period(
    client: Client, story: Story, database: Database
) -> None:
    assert story.cameras
    none = await client.get("/v1/progress", params={"as_of": STOOD, "since": "last-report"})
    assert (none.status_code, "since: no report before" in none.text) == (422, True)
    async with database.transaction() as session:
        await session.execute(text(FROZEN))
    board = await read(client, since="last-report")
    assert board["since"] == "2021-05-08T05:00:00+07:00"
    by_instant = await read(client, "/v1/progress/changes", since="2021-05-08T05:00:00+07:00", total="true")
    by_report = await read(client, "/v1/progress/changes", since="last-report", total="true")
    assert by_report["items"] == by_instant["items"]
    assert board["changes"] == by_report["total"] > 0
    earlier = await client.get("/v1/progress", params={"as_of": "2021-05-08T05:00:00+07:00", "since": "last-report"})
    assert earlier.status_code == 422


async def test_nobody_is_presumed_alive_at_an_instant_of_the_past(client: Client, story: Story) -> None:
    """The workers' last signs of life are of noon; five seconds later they were presumed alive, and no longer are."""
    assert story.cameras
    for asked in ({"as_of": "2021-05-10T12:00:05+07:00"}, {"as_of": STOOD}):
        detail = await read(client, "/v1/progress/facilities/A", **asked)
        assert [one["state"] for one in detail["camera_rows"]] == ["up" if asked["as_of"] == STOOD else "unknown"]
    asked = {"since": "2021-05-10T12:00:05+07:00", "as_of": "2021-05-10T13:00:00+07:00"}
    changes = (await read(client, "/v1/progress/changes", **asked))["items"]
    assert [one["field"] for one in changes if one["field"].startswith("connected")] == []


PAGES: dict[str, tuple[str, Any]] = {
    "/v1/progress/facilities": ("facility_id", lambda row: row["facility"]["id"]),
    "/v1/obligations": ("item_id", lambda row: f"{row['obligation_id']}/{row['facility']['id']}"),
    "/v1/deviations": ("camera_code", lambda row: row["camera_code"]),
    "/v1/inspections-due": ("facility_id", lambda row: row["facility"]["id"]),
}


@pytest.mark.parametrize("path", PAGES)
async def test_a_file_and_the_pages_of_the_same_instant_agree(client: Client, story: Story, path: str) -> None:
    assert story.cameras
    name, of = PAGES[path]
    more = {"verdict": ["as_agreed", "deviates", "not_observed", "not_agreed"]} if path == "/v1/deviations" else {}
    pages = (await read(client, path, limit="1000", **more))["items"]
    answer = await client.get(path, params={"as_of": STOOD, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert sorted(row[name] for row in rows) == sorted(of(row) for row in pages)
    assert {row["as_of"][:19] for row in rows} == {STOOD[:19]}
    parquet = await client.get(path, params={"as_of": STOOD, "format": "parquet"})
    assert pandas.read_parquet(io.BytesIO(parquet.content))[name].tolist() == [row[name] for row in rows]


async def test_the_file_of_the_board_has_the_lines_of_the_board(client: Client, story: Story) -> None:
    assert story.cameras
    board = await read(client)
    answer = await client.get("/v1/progress", params={"as_of": STOOD, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    lines = {"total": [board["totals"]]} | {name: board[f"by_{name}"] for name in ("unit", "agency", "type")}
    for grouping, expected in lines.items():
        found = [row for row in rows if row["grouping"] == grouping]
        assert [[int(row[name]) for name in COUNT_NAMES] for row in found] == [
            [line[name] for name in COUNT_NAMES] for line in expected
        ]
    assert rows[0]["facilities_both_percent_rounded"] == "33.33"
    refused = await client.get("/v1/progress", params={"since": "2021-05-01", "format": "csv"})
    assert refused.status_code == 422
    assert "since" in refused.text


BAD: list[tuple[str, dict[str, str], str]] = [
    ("/v1/progress", {"as_of": "2999-01-01"}, "as_of: lies in the future"),
    ("/v1/progress", {"as_of": "gestern"}, "as_of: 'gestern' is not a time"),
    ("/v1/progress", {"since": "2021-05-20", "as_of": "2021-05-10"}, "since: must be earlier than as_of"),
    ("/v1/progress/changes", {}, "since: is missing"),
    ("/v1/progress", {"unit": "999"}, "no unit with the code or id '999'"),
    ("/v1/progress", {"asof": "2021-05-10"}, "did you mean as_of?"),
    ("/v1/progress/facilities", {"lacking": "money"}, "lacking"),
    ("/v1/progress/facilities", {"lacking": "surveyed", "format": "csv"}, "lacking: is of the pages in JSON"),
    ("/v1/obligations", {"state": "late"}, "state"),
    ("/v1/deviations", {"verdict": "wrong"}, "verdict"),
    ("/v1/inspections-due", {"from": "2021-05-10"}, "unknown"),
]


async def test_a_bad_question_is_refused_by_name(client: Client) -> None:
    for path, asked, words in BAD:
        answer = await client.get(path, params=asked)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), path
        assert words in answer.text

"""Sufficiency is one figure: board, table, letter, appendix and every file of a report say the same of a facility."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import docx
import pytest_asyncio
from services.reporting.tests.api.mandate.test_progress import Story
from services.reporting.tests.api.reports.test_frozen_register import CUT_OFF, frozen, row_of
from services.reporting.tests.stage.letter import may

from vonggac.sufficiency import REQUIRED_AREAS

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

UNCOVERED = {"yard": 3, "corridor": 1}


@pytest_asyncio.fixture
async def story(province: Province, ingest: Ingest, client: Client) -> Story:
    """A is sufficient; of B an approved survey found two areas uncovered; nobody assessed C."""
    made = Story.of(province)
    letter = made.letter
    areas = [
        letter.coverage(made.b, area, "not_covered", may(8), cameras_needed=UNCOVERED[area])
        if area in UNCOVERED
        else letter.coverage(made.b, area, "covered", may(8))
        for area in REQUIRED_AREAS
    ]
    await province.feed(ingest, *made.events(), *(letter.stated("coverage", one) for one in areas))
    return made


def words(content: bytes) -> list[str]:
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return [*(one.text for one in document.paragraphs), *cells]


async def test_sufficiency_one_figure_on_every_paper(client: Client, story: Story) -> None:
    assert story.cameras
    at = {"as_of": CUT_OFF.isoformat()}
    totals = (await client.get("/v1/progress", params=at)).json()["totals"]
    names = ("sufficient", "insufficient", "unassessed", "cameras_needed")
    assert [totals[name] for name in names] == [1, 1, 1, 4]
    rows: dict[str, Any] = {
        row["facility"]["code"]: row for row in (await client.get("/v1/progress/facilities", params=at)).json()["items"]
    }
    table = (await client.get("/v1/progress/facilities", params={**at, "format": "csv"})).text
    listed = {row["facility_code"]: row for row in csv.DictReader(io.StringIO(table.removeprefix("\ufeff")))}
    body, report = await frozen(client)
    known = {True: "true", False: "false", None: ""}
    for code, sufficient, needed, unassessed in (("A", True, 0, 0), ("B", False, 4, 0), ("C", None, 0, 9)):
        row, line = rows[code], row_of(report, code)
        assert (row["sufficient"], row["cameras_needed"], len(row["unassessed_areas"])) == (
            sufficient,
            needed,
            unassessed,
        )
        assert (line["sufficient"], line["cameras_needed"]) == (sufficient, needed)
        assert len(str(line["unassessed_areas"] or "").split()) == unassessed
        assert (listed[code]["sufficient"], listed[code]["cameras_needed"]) == (known[sufficient], str(needed))
    text = words((await client.get(f"/v1/reports/{body['id']}.docx")).content)
    for cell in ("1 / 0 (đủ)", "1 / 4 (thiếu)", "0 / 0 (chưa đánh giá)", "2 / 4"):
        assert cell in text, cell
    whole = " ".join(text)
    assert (
        "1 cơ sở đủ camera ở các khu vực phải giám sát (1 cơ sở thiếu, còn phải bổ sung 4 camera; 1 cơ sở chưa" in whole
    )
    assert "Chưa giám sát: hành lang, sân" in whole
    assert "Chưa đánh giá: mọi khu vực phải giám sát" in whole


async def test_sufficiency_one_a_duty_of_coverage_is_not_done_while_areas_are_not_assessed(
    client: Client, story: Story, ingest: Ingest
) -> None:
    letter = story.letter
    await letter.province.feed(ingest, letter.stated("obligation", letter.obligation("NV-C", "coverage")))
    owed = (await client.get("/v1/obligations", params={"as_of": CUT_OFF.isoformat()})).json()["items"]
    done = {one["facility"]["code"]: one["state"] for one in owed if one["code"] == "NV-C"}
    assert done == {"A": "done", "B": "overdue", "C": "overdue"}

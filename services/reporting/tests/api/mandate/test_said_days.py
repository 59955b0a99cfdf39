"""A duty by a day that somebody says: a focal point by its paper or its entry, an inspection with its entry beside."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.stage.letter import Letter, may
from sqlalchemy import text

from reporting.reports.mandate.progress import board
from reporting.storage import plan

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

PAPER = {"appointment_document": "QĐ 15/QĐ-TH", "appointment_signed_on": may(8).date()}


async def read_items(client: Client) -> list[dict[str, Any]]:
    """Two days after the deadline."""
    answer = await client.get("/v1/obligations", params={"as_of": "2021-05-12"})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@pytest.mark.parametrize(
    ("since", "entered", "paper", "done_at", "state", "recorded_late"),
    [
        (7, may(11), {}, may(11), "done_late", False),
        (7, may(11), {"appointment_document": "QĐ 15/QĐ-TH"}, may(11), "done_late", False),
        (7, may(11), PAPER, may(8), "done", True),
        (9, may(8), {}, may(9), "done", False),
        (7, may(9, 12), {}, may(9, 12), "done", False),
        (9, may(11), PAPER, may(9), "done", True),
    ],
)
async def test_a_focal_point_counts_from_its_paper_and_without_one_from_its_entry(
    client: Client,
    ingest: Ingest,
    province: Province,
    since: int,
    entered: datetime,
    paper: dict[str, Any],
    done_at: datetime,
    state: str,
    recorded_late: bool,
) -> None:
    """A first day in office that lies back makes nothing done in time (R17)."""
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-1742-D", "focal_point")
    named = letter.focal_point(facility, may(since).date(), **letter.known(entered), **paper)
    things: list[tuple[str, Any]] = [("facility", facility), ("obligation", duty), ("focal_point", named)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    (item,) = await read_items(client)
    assert (item["state"], datetime.fromisoformat(item["done_at"])) == (state, done_at)
    assert (datetime.fromisoformat(item["recorded_at"]), item["recorded_late"]) == (entered, recorded_late)
    assert item["evidence"][0]["document"] == (paper.get("appointment_document") if recorded_late else None)


async def test_a_focal_point_of_another_facility_counts_here_from_its_move(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    other, facility, duty = letter.facility("A"), letter.facility("B"), letter.obligation("NV-1742-D", "focal_point")
    named = letter.focal_point(other, may(7).date(), **letter.known(may(8)))
    moved = letter.later(named, may(11), facility_id=facility.id)
    things: list[tuple[str, Any]] = [("facility", other), ("facility", facility), ("obligation", duty)]
    things += [("focal_point", named), ("focal_point", moved)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    items = await read_items(client)
    assert {one["facility"]["code"]: one["state"] for one in items} == {"A": "overdue", "B": "done_late"}


async def test_an_inspection_that_is_entered_after_the_deadline_is_recorded_late(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-1742-D", "inspection")
    made = letter.inspection(facility, may(8).date()).model_copy(update=letter.known(may(11)))
    things: list[tuple[str, Any]] = [("facility", facility), ("obligation", duty), ("inspection", made)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    (item,) = await read_items(client)
    assert (item["state"], item["recorded_late"]) == ("done", True)


async def test_a_focal_point_from_before_messages_had_its_paper_keeps_its_first_day_in_office(
    client: Client, ingest: Ingest, province: Province, database: Database
) -> None:
    """An upgrade makes nothing late that was in time; nor does it in a further version by rule 4 or before."""
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-1742-D", "focal_point")
    named = letter.focal_point(facility, may(7).date(), **letter.known(may(11)))
    things: list[tuple[str, Any]] = [("facility", facility), ("obligation", duty), ("focal_point", named)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    async with database.transaction() as session:
        at = round(may(12).timestamp() * 1000)
        by_entry = await board(session, at, 60_000, plan.Scope(), by_entry=True)
        statement = "update register_record set state = state - 'appointment_document' - 'appointment_signed_on'"
        await session.execute(text(f"{statement} where noun = 'focal_point'"))
    assert [one.due.state for one in by_entry.duties.items] == ["done"]
    (item,) = await read_items(client)
    assert (item["state"], datetime.fromisoformat(item["done_at"])) == ("done", may(7))

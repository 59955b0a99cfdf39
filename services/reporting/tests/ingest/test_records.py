"""The register of the mandate: every revision dated, in any order of arrival, without people."""

from __future__ import annotations

import itertools
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.reporting.tests.stage.letter import Letter, may
from services.reporting.tests.stage.province import received
from sqlalchemy import text

from reporting.domain.instants import millis
from reporting.ingest import records as kept
from reporting.storage.mandate import records
from vonggac.events.inventory import RemovedV1, SurveyStatus

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database


async def keep(database: Database, *states: Any) -> None:
    async with database.transaction() as session:
        await kept.keep(session, states)


async def status_at(database: Database, at: Any, noun: str = "survey") -> list[str]:
    async with database.transaction() as session:
        found = await records.read(session, [noun], millis(at))
    return [one.state["status"] for one in found.at(noun, millis(at))]


async def test_each_revision_holds_until_the_next_in_any_order(database: Database, province: Province) -> None:
    letter = Letter(province)
    for order in itertools.permutations(range(3)):
        facility = letter.facility(f"F{order}")
        assigned = letter.survey(facility, may(7), "assigned")
        submitted = letter.later(assigned, may(8), status=SurveyStatus.SUBMITTED, status_since=may(8))
        approved = letter.later(submitted, may(9), status=SurveyStatus.APPROVED, approved_at=may(9))
        revisions = [assigned, submitted, approved]
        for number in order:
            await keep(database, revisions[number])
        await keep(database, *revisions)
    for at, status in ((may(6), []), (may(7), ["assigned"]), (may(8, 1), ["submitted"]), (may(9), ["approved"])):
        assert await status_at(database, at) == status * 6


async def test_what_is_removed_stays_in_the_past(database: Database, province: Province) -> None:
    letter = Letter(province)
    blocked = letter.blocked(letter.facility("F"), date(2021, 5, 8))
    gone = RemovedV1(id=blocked.id, noun="blocked_reason", revision=2, removed_at=may(9), removed_by="an")
    await keep(database, gone)
    await keep(database, blocked)
    async with database.transaction() as session:
        before, after = [await records.read(session, ["blocked_reason"], millis(at)) for at in (may(9, -0.001), may(9))]
    assert [one.id for one in before.at("blocked_reason", millis(may(9, -0.001)))] == [blocked.id]
    assert list(after.at("blocked_reason", millis(may(9)))) == []


async def test_what_came_later_is_not_in_a_past_instant(database: Database, province: Province) -> None:
    letter = Letter(province)
    assigned = letter.survey(letter.facility("F"), may(7), "assigned")
    await keep(database, assigned)
    async with database.transaction() as session:
        before = await records.read(session, ["survey"], millis(may(8)))
    await keep(database, letter.later(assigned, may(9), status=SurveyStatus.APPROVED, approved_at=may(9)))
    async with database.transaction() as session:
        after = await records.read(session, ["survey"], millis(may(8)))
    assert list(before.versions("survey")) == list(after.versions("survey"))


async def test_a_verdict_heard_of_late_is_not_made_up_for_the_time_before(
    database: Database, province: Province
) -> None:
    """Of an area only the newest verdict is on the bus; a survey says itself when it was approved."""
    letter = Letter(province)
    facility = letter.facility("F")
    verdict = letter.coverage(facility, "gate", "covered", may(9), revision=4, created_at=may(2))
    survey = letter.survey(facility, may(5), revision=4, created_at=may(2), changed_at=may(9))
    await keep(database, verdict, survey)
    async with database.transaction() as session:
        found = await records.read(session, ["coverage", "survey"], millis(may(8)))
    assert list(found.at("coverage", millis(may(8)))) == []
    (known,) = found.at("survey", millis(may(8)))
    assert known.state["approved_at"].startswith("2021-05-0")


async def test_no_person_is_kept(ingest: Ingest, database: Database, province: Province) -> None:
    letter = Letter(province)
    focal = letter.focal_point(letter.facility("F"), date(2021, 5, 8))
    camera = province.camera(url="rtsp://10.1.1.1/secret-path")
    await province.feed(ingest, letter.stated("focal_point", focal), letter.stated("camera", camera))
    async with database.transaction() as session:
        rows = (await session.execute(text("select noun, state::text from register_record"))).all()
    stored = {row[0]: row[1] for row in rows}
    assert stored.keys() == {"focal_point", "camera"}
    for word in ("Người", "0900000000", "example.org", "Trưởng", "10.1.1.1", "secret-path"):
        assert word not in "".join(stored.values())
    assert '"valid_from": "2021-05-08"' in stored["focal_point"]


async def test_what_an_earlier_release_passed_by_is_kept_when_it_comes_again(
    ingest: Ingest, database: Database, province: Province
) -> None:
    """The inbox knows the event; the table does not."""
    letter = Letter(province)
    event = letter.stated("survey", letter.survey(letter.facility("F"), may(8)))
    await ingest.inventory([received(event)])
    async with database.transaction() as session:
        await session.execute(text("delete from register_record"))
    await ingest.inventory([received(event)])
    assert await status_at(database, may(8)) == ["approved"]


async def test_names_of_then_stay_those_of_then(database: Database, province: Province) -> None:
    letter = Letter(province)
    (unit,) = [one.data for one in letter.base() if one.subject.startswith("unit/")]
    renamed = letter.later(unit, may(20), name="Xã Hướng Hóa", code="19429")
    await keep(database, renamed, unit)
    async with database.transaction() as session:
        found = await records.read(session, ["unit"], millis(may(30)))
    names = []
    for at in (may(10), may(30)):
        record = found.find_version("unit", province.unit, millis(at))
        assert record is not None
        names.append(record.state["name"])
    assert names == ["Huyện Hướng Hóa", "Xã Hướng Hóa"]
    assert found.find_version("unit", uuid4(), millis(may(30))) is None

"""What the letter's deadline of 10/5/2021 publishes and whom it urges, from the register's own events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from services.reporting.tests.stage.letter import DEADLINE, LAST, Letter, may

from reporting.storage.sending import notices
from reporting.storage.sending.records import RULES
from reporting.urging.obligations import Obligations
from reporting.urging.urger import Urger
from vonggac.events.inventory import DeadlineV1, ObligationStatus
from vonggac.events.reporting import ObligationOverdueV1

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from vonggac.database import Database


@pytest.fixture
def letter(province: Province) -> Letter:
    return Letter(province)


async def owe(letter: Letter, ingest: Ingest, **given: Any) -> Any:
    """A facility with a camera that nobody has connected, and the obligation to connect it."""
    facility = letter.facility("A")
    duty = letter.obligation("NV-1742-B", "connection", with_cameras=True, **given)
    things = {"facility": facility, "camera": letter.camera(facility, "A-C01"), "obligation": duty}
    stated = [letter.stated(noun, thing) for noun, thing in things.items()]
    await letter.province.feed(ingest, *letter.base(), *stated)
    return duty


async def overdue(database: Database, settings: Settings, at: datetime) -> list[ObligationOverdueV1]:
    async with database.transaction() as session:
        found = await Obligations(settings).notices(session, at)
    data = [one.data for one in found]
    assert all(isinstance(one, ObligationOverdueV1) for one in data)
    return [one for one in data if isinstance(one, ObligationOverdueV1)]


async def test_an_obligation_is_overdue_at_its_deadline_and_not_a_millisecond_before(
    letter: Letter, ingest: Ingest, database: Database, settings: Settings
) -> None:
    duty = await owe(letter, ingest)
    assert await overdue(database, settings, LAST) == []
    (one,) = await overdue(database, settings, DEADLINE)
    assert (one.obligation_id, one.obligation_code, one.facility_code) == (duty.id, "NV-1742-B", "A")
    assert (one.kind, one.responsible_agency_id, one.due_before) == ("connection", letter.lead, DEADLINE)


async def test_it_is_published_once_and_again_for_a_new_deadline(
    letter: Letter, ingest: Ingest, database: Database, settings: Settings
) -> None:
    duty = await owe(letter, ingest)

    async def written(at: datetime) -> int:
        async with database.transaction() as session:
            found = await Obligations(settings).notices(session, at)
            return await notices.append(session, found, at)

    assert [await written(at) for at in (LAST, DEADLINE, may(11))] == [0, 1, 0]
    entry = DeadlineV1(due_before=may(20), set_at=may(12), set_by="lead", directive_id=letter.directive_id)
    later = letter.later(duty, may(12), due_before=may(20), deadlines=(*duty.deadlines, entry))
    await letter.province.feed(ingest, letter.stated("obligation", later))
    assert [await written(at) for at in (may(13), may(20), may(21))] == [0, 1, 0]


@pytest.mark.parametrize("settled", ["waived", "removed facility"])
async def test_what_is_waived_or_about_no_facility_any_more_is_not_overdue(
    letter: Letter, ingest: Ingest, database: Database, settings: Settings, settled: str
) -> None:
    duty = await owe(letter, ingest)
    changes: dict[str, Any] = {"status": ObligationStatus.WAIVED, "settled_by": "lead", "settled_reason": "đóng cửa"}
    if settled != "waived":
        changes = {"facility_ids": (uuid4(),), "with_cameras": None}
    await letter.province.feed(ingest, letter.stated("obligation", letter.later(duty, may(9), **changes)))
    assert await overdue(database, settings, may(12)) == []


async def test_the_responsible_agency_is_urged_about_it_once_a_day(
    letter: Letter, ingest: Ingest, database: Database, settings: Settings
) -> None:
    await owe(letter, ingest)
    clock = [LAST]
    urger = Urger(database, settings, None, obligations=Obligations(settings).list_owed, clock=lambda: clock[0])
    rule = {
        "id": uuid4(),
        "name": "Quá hạn",
        "about": "obligation_overdue",
        "party": "responsible",
        "agency_id": None,
        "level": 1,
        "hours": 0,
        "every_hours": 24,
        "after_answer_hours": 0,
        "quiet_from": None,
        "quiet_to": None,
        "channel_kinds": [],
        "obligation_kinds": ["connection"],
        "enabled": True,
    }
    soon = rule | {"id": uuid4(), "about": "obligation_due_soon", "hours": 48}
    async with database.transaction() as session:
        await RULES.add(session, rule, may(1), "lead")
        await RULES.add(session, soon, may(1), "lead")
    urged = []
    for hours in (0, 1, 25, 49):
        clock[0] = LAST + timedelta(hours=hours)
        urged.append(await urger.check())
    assert urged == [1, 0, 1, 1], "due soon at first, overdue later, once in 24 hours"


async def test_obligations_are_judged_once_in_the_set_seconds(
    letter: Letter, ingest: Ingest, database: Database, settings: Settings
) -> None:
    duty = await owe(letter, ingest)
    obligations = Obligations(settings)
    async with database.transaction() as session:
        assert len(await obligations.notices(session, DEADLINE)) == 1
    waived = letter.later(duty, may(9), status=ObligationStatus.WAIVED, settled_by="lead", settled_reason="x")
    await letter.province.feed(ingest, letter.stated("obligation", waived))
    async with database.transaction() as session:
        assert len(await obligations.notices(session, DEADLINE + timedelta(seconds=59))) == 1
        assert await obligations.notices(session, DEADLINE + timedelta(seconds=60)) == []

"""The outbox on the bus: in order, once, and also what was written while reporting did not run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from reporting.storage.sending import notices
from reporting.storage.sending.notices import Outbox
from vonggac.bus.declared import topology
from vonggac.events import decode, subjects
from vonggac.events.reporting import ReportFrozenV1
from vonggac.testing.waiting import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Start

    from vonggac.bus import Bus
    from vonggac.database import Database

NOW = datetime(2026, 11, 20, tzinfo=UTC)


async def freeze(database: Database, report: UUID, version: int) -> None:
    """A notice as whoever freezes a report writes it, in its own transaction."""
    data = ReportFrozenV1(report_id=report, version=version, cut_off_at=NOW, sha256="0" * 64, frozen_by="lead")
    async with database.transaction() as session:
        await notices.report_frozen(session, data, NOW)


async def stored(bus: Bus) -> int:
    return int((await bus.js.stream_info(topology.NOTICES)).state.messages)


async def test_notices_written_while_reporting_was_down_are_published_in_order_and_once(
    start: Start, bus: Bus, database: Database
) -> None:
    report = uuid4()
    for version in range(1, 8):
        await freeze(database, report, version)
        # The same fact is one notice.
        await freeze(database, report, version)
    for _ in range(2):
        async with start():

            async def published() -> bool:
                return await stored(bus) == 7 and not await Outbox(database).unpublished(1)

            await eventually(published)
    messages = [await bus.js.get_msg(topology.NOTICES, seq=sequence) for sequence in range(1, 8)]
    events = [decode(message.data or b"") for message in messages]
    versions = [event.data.version for event in events if isinstance(event.data, ReportFrozenV1)]
    assert versions == list(range(1, 8))
    assert {message.subject for message in messages} == {subjects.notice("report", report)}
    assert len({event.id for event in events}) == 7


async def test_old_notices_are_forgotten_and_what_is_not_published_is_kept(database: Database) -> None:
    published, waiting = uuid4(), uuid4()
    await freeze(database, published, 1)
    (row,) = await Outbox(database).unpublished(10)
    await Outbox(database).mark_published([row.sequence], NOW)
    await freeze(database, waiting, 1)
    async with database.transaction() as session:
        assert await notices.delete_old_notices(session, before=NOW) == 0
        assert await notices.delete_old_notices(session, before=NOW + timedelta(days=1)) == 1
    assert [one.thing_id for one in await Outbox(database).unpublished(10)] == [waiting]

"""The register is dated: what it says today changes no moment before today, whatever the order of arrival."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from services.reporting.tests.stage.province import received
from sqlalchemy import create_engine, select, text

from reporting.domain.instants import millis
from reporting.domain.scope import Camera, Reason
from reporting.domain.segments import Period
from reporting.ingest import scope
from reporting.migrations import SCRIPTS
from reporting.storage import plan, tables
from reporting.storage.mandate import lifecycle
from vonggac.bus import Received
from vonggac.database.migrations import config
from vonggac.events import Payload, new_event
from vonggac.events.inventory import CameraV1, JournalEntryV1, PlannedDelivery, RemovedV1

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

DAY = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = 3_600_000


def hour(count: float) -> datetime:
    return DAY + timedelta(hours=count)


PERIOD = Period(millis(DAY), millis(hour(24)))


async def cameras(database: Database, wanted: plan.Scope | None = None, period: Period = PERIOD) -> list[Camera]:
    async with database.transaction() as session:
        return await plan.cameras(session, await plan.places(session, wanted or plan.Scope(), period))


async def apply(database: Database, *states: Any) -> None:
    async with database.transaction() as session:
        await scope.apply(session, states)


def later(state: Any, revision: int, at: datetime, **changes: Any) -> Any:
    return state.model_copy(update={"revision": revision, "changed_at": at, **changes})


def removed(camera: CameraV1, revision: int, at: datetime = DAY) -> RemovedV1:
    return RemovedV1(id=camera.id, noun="camera", revision=revision, removed_at=at, removed_by="an", reason="hỏng")


def absences(camera: Camera) -> list[tuple[float, float, str]]:
    start = PERIOD.start
    return [((one.start - start) / HOUR, (one.end - start) / HOUR, one.value.reason.value) for one in camera.absences]


async def test_the_higher_revision_holds_last_in_any_order(database: Database, province: Province) -> None:
    await apply(database, *(event.data for event in province.base()))
    for order in itertools.permutations([1, 2, 3]):
        camera = province.camera(code=f"CAM-{order}")
        for revision in order:
            deliveries = camera.deliveries[:revision]
            name = f"revision {revision}"
            await apply(database, later(camera, revision, hour(revision), name=name, deliveries=deliveries))
    for one in await cameras(database):
        assert one.name == "revision 3"
        assert [(piece.start - PERIOD.start) / HOUR for piece in one.pieces] == [0, 2]
        assert [len(piece.value.deliveries) for piece in one.pieces] == [1, 2]


async def test_two_revisions_in_one_batch_are_two_versions(database: Database, province: Province) -> None:
    camera = province.camera()
    newer = later(camera, 2, hour(6), code="NEW", enabled=False, changed_by="an", reason="sửa mái")
    await apply(database, *(event.data for event in province.base()), newer, camera)
    (found,) = await cameras(database)
    assert (found.code, absences(found)) == ("NEW", [(6, 24, "switched_off")])
    assert (found.absences[0].value.by, found.absences[0].value.why) == ("an", "sửa mái")


async def test_nouns_that_reporting_has_no_use_for_pass_by(
    ingest: Ingest, database: Database, province: Province
) -> None:
    known = {"revision": 1, "changed_at": DAY}
    entry = JournalEntryV1(id=uuid4(), about_noun="camera", about_id=uuid4(), written_by="an", text="Đã gọi", **known)
    gone = RemovedV1(id=entry.id, noun="journal_entry", revision=2, removed_at=DAY)
    camera = province.camera()
    facts: list[Payload] = [entry, gone]
    other = [new_event(fact, source="/inventory", subject="-", time=DAY) for fact in facts]
    await ingest.inventory([received(one) for one in (*other, *province.base(), province.stated("camera", camera))])
    assert [one.id for one in await cameras(database)] == [str(camera.id)]


async def test_who_switched_a_camera_off_stays_known_after_changes(database: Database, province: Province) -> None:
    camera = province.camera()
    off = later(camera, 2, hour(-6), enabled=False, changed_by="an", reason="sửa mái")
    renamed = later(off, 3, hour(-3), name="Cổng phụ", changed_by="binh", reason=None)
    await apply(database, *(event.data for event in province.base()), renamed, off, camera)
    (found,) = await cameras(database)
    assert [(one.value.by, one.value.why) for one in found.absences] == [("an", "sửa mái")]


async def test_what_never_came_here_excuses_nothing(database: Database, province: Province) -> None:
    """Of a thing first heard of when it was off, only that is known: before, it is neither charged nor excused."""
    off = later(province.camera(), 4, hour(6), enabled=False, changed_by="an")
    closed = later(province.facility_state(), 3, hour(12), status="closed", changed_by="binh")
    base = [event.data for event in province.base() if event.data.event_type != closed.event_type]
    await apply(database, *base, closed, off)
    (found,) = await cameras(database)
    missing = (0, 6, "revision_missing")
    assert absences(found) == [missing, (6, 12, "switched_off"), (12, 24, "facility_closed")]
    assert [one.value.by for one in found.out_of_scope] == ["an", "binh"]


async def test_a_camera_is_charged_nothing_before_it_existed_nor_after_it_was_removed(
    database: Database, province: Province
) -> None:
    await apply(database, *(event.data for event in province.base()))
    added = province.camera("A", created_at=hour(3), changed_at=hour(5))
    gone = province.camera("B")
    await apply(database, removed(gone, 2, hour(20)), added)
    await apply(database, gone)
    first, second = await cameras(database)
    assert absences(first) == [(0, 3, "not_yet")]
    assert absences(second) == [(20, 24, "removed")]
    assert second.absences[0].value == (Reason.REMOVED, "an", "hỏng")
    before, after = Period(millis(hour(0)), millis(hour(3))), Period(millis(hour(24)), millis(hour(48)))
    assert [one.code for one in await cameras(database, period=before)] == ["B"]
    assert [one.code for one in await cameras(database, period=after)] == ["A"]


async def test_while_its_facility_is_planned_suspended_or_closed_a_camera_is_out_of_scope(
    database: Database, province: Province
) -> None:
    base = province.facility_state(status="planned")
    await apply(database, *(event.data for event in province.base(status="planned")), province.camera())
    for revision, status in enumerate(("approved", "active", "suspended", "active", "closed"), start=2):
        changed = hour(2 * revision)
        await apply(database, later(base, revision, changed, status=status, changed_by="an", reason=status))
    (found,) = await cameras(database)
    assert absences(found) == [(0, 4, "facility_planned"), (8, 10, "facility_suspended"), (12, 24, "facility_closed")]
    assert [one.value.why for one in found.absences] == [None, "suspended", "closed"]


async def test_a_camera_that_moved_has_only_its_time_there_in_a_report_of_one_facility(
    database: Database, province: Province
) -> None:
    other = later(province.facility_state(), 1, DAY, id=uuid4(), code="KCL-02", created_at=DAY - timedelta(days=9))
    camera = province.camera()
    moved = later(camera, 2, hour(6), facility_id=other.id)
    await apply(database, *(event.data for event in province.base()), other, camera, moved)
    (everywhere,) = await cameras(database)
    assert (everywhere.absences, [one.value.facility.code for one in everywhere.pieces]) == ([], ["KCL-01", "KCL-02"])
    (before,) = await cameras(database, plan.Scope(facility_id=province.facility))
    (after,) = await cameras(database, plan.Scope(facility_id=other.id))
    assert (before.facility.code, absences(before)) == ("KCL-01", [(6, 24, "elsewhere")])
    assert (after.facility.code, absences(after)) == ("KCL-02", [(0, 6, "elsewhere")])


async def test_what_a_destination_demands_is_what_it_demanded_then(database: Database, province: Province) -> None:
    await apply(database, *(event.data for event in province.base()), province.camera())
    changed = province.destination("national", proof="verified", revision=2, changed_at=hour(6)).data
    await apply(database, changed)
    (found,) = await cameras(database)
    assert [
        ((piece.start - PERIOD.start) / HOUR, [one.required_proof for one in piece.value.deliveries])
        for piece in found.pieces
    ] == [(0, ["acknowledged", "acknowledged"]), (6, ["verified", "acknowledged"])]


async def test_a_delivery_that_the_camera_no_longer_names_is_not_demanded_from_then_on(
    database: Database, province: Province
) -> None:
    camera = province.camera()
    fewer = later(camera, 2, hour(6), deliveries=camera.deliveries[:1])
    await apply(database, *(event.data for event in province.base()), camera, fewer)
    (found,) = await cameras(database)
    assert [len(piece.value.deliveries) for piece in found.pieces] == [2, 1]
    assert len(found.deliveries) == 2


async def test_a_destination_not_known_yet_leaves_the_role_open(database: Database, province: Province) -> None:
    planned = PlannedDelivery(id=uuid4(), destination_id=uuid4(), destination_code="D9", url="rtsp://10.0.0.1/x")
    await apply(database, *(event.data for event in province.base()), province.camera(deliveries=(planned,)))
    (found,) = await cameras(database)
    assert (found.deliveries[0].role, found.deliveries[0].destination.code) == (None, "D9")


async def test_a_removed_facility_keeps_its_names_for_what_was(database: Database, province: Province) -> None:
    camera = province.camera()
    gone = RemovedV1(id=province.facility, noun="facility", revision=2, removed_at=hour(20))
    named = RemovedV1(id=province.unit, noun="unit", revision=2, removed_at=hour(21))
    await apply(database, *(event.data for event in province.base()), camera, removed(camera, 2, hour(19)), gone, named)
    (found,) = await cameras(database)
    assert (found.facility.code, found.facility.unit.name) == ("KCL-01", "Huyện Hướng Hóa")


def test_migrations_and_tables_agree(reporting_url: str) -> None:
    engine = create_engine(reporting_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_migrations_can_be_undone(reporting_url: str) -> None:
    command.downgrade(config(SCRIPTS, reporting_url), "base")
    command.upgrade(config(SCRIPTS, reporting_url), "head")


def test_what_was_passed_by_until_now_is_read_again(reporting_url: str) -> None:
    """Reporting had no use for surveys and plans; the stream still has the newest state of each."""
    command.downgrade(config(SCRIPTS, reporting_url), "0012")
    engine = create_engine(reporting_url)
    with engine.begin() as connection:
        connection.execute(
            text("insert into bus_position (stream, floor) values ('INVENTORY', 9), ('OBSERVATIONS', 8)")
        )
    command.upgrade(config(SCRIPTS, reporting_url), "head")
    with engine.connect() as connection:
        found = connection.execute(text("select stream, floor from bus_position order by stream")).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [("INVENTORY", 0), ("OBSERVATIONS", 8)]


def test_what_was_known_before_the_plan_was_dated_is_kept(reporting_url: str) -> None:
    command.downgrade(config(SCRIPTS, reporting_url), "0002")
    engine = create_engine(reporting_url)
    camera, facility, tail = uuid4(), uuid4(), "00" * 18
    with engine.begin() as connection:
        connection.execute(
            text(
                f"insert into facility values ('{facility}', 3, 'F', 'Cơ sở', 'hotel', 'active', '{uuid4()}', "  # noqa: S608
                f"'{uuid4()}', false)"
            )
        )
        connection.execute(text(f"insert into camera values ('{camera}', 2, 'C', 'Cổng', '{facility}', true)"))  # noqa: S608
        connection.execute(
            text(
                f"insert into delivery values ('{uuid4()}', '{camera}', '{uuid4()}', 'D1', 'acknowledged', true)"  # noqa: S608
            )
        )
        connection.execute(text("insert into worker values ('prober-1', 'prober', '2026-11-20')"))
        connection.execute(
            text(
                f"insert into camera_state values ('{camera}', '2026-11-01', '2026-11-20', 'up', null, '2026-11-19', "  # noqa: S608
                f"null, '\\x{tail}')"
            )
        )
    command.upgrade(config(SCRIPTS, reporting_url), "head")
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from camera where valid_to is null and not removed")) == 1
        assert connection.scalar(text("select revision from delivery")) == 2
        assert connection.scalar(text("select length(tail) from camera_state")) == 26
        assert str(connection.scalar(text("select started_at from worker_life")))[:10] == "2026-11-01"
    engine.dispose()


async def test_the_address_that_an_older_register_left_out_is_learnt_of_the_same_revision(
    database: Database, province: Province
) -> None:
    before = province.facility_state()
    now = province.facility_state(address="68 Lê Duẩn")
    moved = later(now, 2, hour(12), address="Nơi khác")
    for states in ((before,), (now,), (moved, before)):
        await apply(database, *states)
    async with database.transaction() as session:
        found = [(await lifecycle.addresses(session, millis(at))).get(now.id) for at in (hour(11), hour(12))]
    assert found == ["68 Lê Duẩn", "Nơi khác"]
    await apply(database, later(moved, 3, hour(13), restricted=True, address=None))
    async with database.transaction() as session:
        assert await lifecycle.addresses(session, millis(hour(13))) == {}


def test_the_address_of_a_restricted_facility_is_in_no_message(province: Province) -> None:
    assert province.facility_state(address="68 Lê Duẩn").address == "68 Lê Duẩn"
    assert province.facility_state(address="Đồi 1", restricted=True).address is None


@pytest.mark.server
async def test_bus_clock_dates_no_revision_before_it_was_stored_less_its_waiting(
    ingest: Ingest, database: Database, province: Province
) -> None:
    """A register with a clock ten minutes slow switched a camera off: it is out of scope from when that was stored."""
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    stored_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    waited = timedelta(minutes=4)

    async def switched_off(revision: int, said_at: datetime, waiting: timedelta | None) -> datetime:
        state = camera.model_copy(update={"revision": revision, "changed_at": said_at, "enabled": False})
        event = province.stated("camera", state)
        await ingest.inventory([Received(event, "inventory.camera.x", revision, stored_at, waiting)])
        async with database.transaction() as session:
            query = select(tables.camera.c.changed_at).where(tables.camera.c.revision == revision)
            found: datetime = (await session.execute(query)).scalar_one()
        return found

    slow = stored_at - timedelta(minutes=14)
    assert await switched_off(2, slow, waited) == stored_at - waited
    # One that is published again says nothing of its waiting, and an honest one is what it says.
    assert await switched_off(3, slow + timedelta(minutes=1), None) == slow + timedelta(minutes=1)
    honest = stored_at - waited - timedelta(seconds=1)
    assert await switched_off(4, honest, waited) == honest
    async with database.transaction() as session:
        marks = (
            await session.execute(select(tables.corrected_fact.c.dated_at, tables.corrected_fact.c.taken_at))
        ).all()
    assert marks == [(slow, stored_at - waited)]

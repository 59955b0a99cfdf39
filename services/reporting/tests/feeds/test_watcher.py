"""What is noticed and written to the outbox, from observations on the real PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from reporting.feeds.watcher import Watcher
from vonggac.events import Cause, new_event
from vonggac.events.prober import SiteObservedV1, SiteState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.reporting.tests.stage.province import Province
    from sqlalchemy.ext.asyncio import AsyncSession

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from reporting.storage.sending.notices import Notice
    from vonggac.database import Database

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return DAY + timedelta(minutes=count)


async def no_duties(_session: AsyncSession, _now: datetime) -> Sequence[Notice]:
    return ()


class Watch:
    """A watcher whose clock the test sets, and what it has written."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.now, self._database = DAY, database
        self._watcher = Watcher(database, settings, duties=no_duties, clock=lambda: self.now)

    async def check(self, at: datetime) -> list[dict[str, Any]]:
        """The events that were written at this moment."""
        self.now = at
        before = len(await self.written())
        count = await self._watcher.check()
        events = (await self.written())[before:]
        assert len(events) == count
        return events

    async def written(self) -> list[dict[str, Any]]:
        async with self._database.transaction() as session:
            bodies = (await session.execute(text("select body from notice order by sequence"))).scalars()
            return [json.loads(body) for body in bodies]


@pytest.fixture
def watch(database: Database, settings: Settings) -> Watch:
    return Watch(database, settings)


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].split(".")[-2] for event in events]


async def test_an_outage_is_published_once_when_it_is_confirmed_and_once_when_it_ends(
    watch: Watch, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(ingest, *province.probes(camera, minutes(0), minutes(10)), *province.watched(minutes(10)))
    assert await watch.check(minutes(10)) == []
    await province.feed(ingest, province.probe(camera, minutes(10), "down", cause="timeout"))
    await province.feed(ingest, *province.watched(minutes(10.2)))
    assert await watch.check(minutes(10.2)) == [], "one failed probe is no confirmed outage"
    await province.feed(ingest, province.probe(camera, minutes(10.5), "down", cause="refused"))
    await province.feed(ingest, *province.watched(minutes(10.7)))
    (opened,) = await watch.check(minutes(10.7))
    assert names([opened]) == ["outage_opened"]
    assert opened["subject"] == str(camera.id)
    assert opened["data"] == {
        "outage_id": opened["data"]["outage_id"],
        "camera_id": str(camera.id),
        "camera_code": "CAM-01",
        "facility_id": str(province.facility),
        "facility_code": "KCL-01",
        "began_at": "2026-11-20T00:10:00Z",
        "began_before": False,
        "cause": "timeout",
    }
    assert await watch.check(minutes(10.8)) == []
    await province.feed(ingest, *province.probes(camera, minutes(11), minutes(15), "down", cause="refused"))
    await province.feed(ingest, *province.probes(camera, minutes(15), minutes(16)), *province.watched(minutes(16)))
    (closed,) = await watch.check(minutes(15.9))
    assert names([closed]) == ["outage_closed"]
    assert closed["data"] | {"camera_id": "", "facility_id": ""} == {
        "outage_id": opened["data"]["outage_id"],
        "camera_id": "",
        "camera_code": "CAM-01",
        "facility_id": "",
        "facility_code": "KCL-01",
        "began_at": "2026-11-20T00:10:00Z",
        "ended_at": "2026-11-20T00:15:00Z",
        "duration_ms": 300_000,
        "causes": ["timeout", "refused"],
        "followed_by": "up",
        "retracted": False,
    }
    assert await watch.check(minutes(16)) == []


async def test_outages_of_more_cameras_than_are_read_at_once_are_all_published_once(
    watch: Watch, ingest: Ingest, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reporting.feeds.watcher.FEWEST", 2)
    monkeypatch.setattr("reporting.feeds.watcher.MOST", 2)
    cameras = [province.camera(f"CAM-{number}") for number in range(5)]
    await province.feed(ingest, *province.base(), *[province.stated("camera", one) for one in cameras])
    for one in cameras:
        await province.feed(ingest, *province.probes(one, minutes(0), minutes(10)))
    await province.feed(ingest, *province.watched(minutes(10)))
    assert await watch.check(minutes(10)) == []
    for one in cameras:
        await province.feed(ingest, *province.probes(one, minutes(10), minutes(12), "down", cause="timeout"))
    await province.feed(ingest, *province.watched(minutes(12)))
    opened = await watch.check(minutes(12))
    assert sorted(one["data"]["camera_code"] for one in opened) == [f"CAM-{number}" for number in range(5)]
    assert names(opened) == ["outage_opened"] * 5
    assert await watch.check(minutes(12.1)) == []


async def test_an_outage_that_nobody_watches_any_more_ends_with_unknown(
    watch: Watch, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    down = province.probes(camera, minutes(0), minutes(5), "down", cause="timeout")
    await province.feed(ingest, *down, *province.watched(minutes(5)))
    assert names(await watch.check(minutes(5))) == ["outage_opened"]
    (closed,) = await watch.check(minutes(20))
    assert (closed["data"]["followed_by"], closed["data"]["retracted"]) == ("unknown", False)


async def test_outages_while_reporting_was_down_are_published_afterwards(
    watch: Watch, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(ingest, *province.probes(camera, minutes(0), minutes(10)), *province.watched(minutes(10)))
    assert await watch.check(minutes(10)) == []
    for began in (60, 120):
        await province.feed(ingest, *province.probes(camera, minutes(began), minutes(began + 5), "down", cause="dns"))
        await province.feed(ingest, *province.probes(camera, minutes(began + 5), minutes(began + 10)))
    await province.feed(ingest, *province.watched(minutes(200)))
    events = await watch.check(minutes(200))
    assert names(events) == ["outage_opened", "outage_closed"] * 2
    assert [event["data"]["began_at"][11:16] for event in events] == ["01:00", "01:00", "02:00", "02:00"]


async def test_the_first_time_publishes_what_goes_on_and_no_history(
    watch: Watch, ingest: Ingest, province: Province
) -> None:
    past, present = province.camera("CAM-01"), province.camera("CAM-02")
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in (past, present)))
    await province.feed(ingest, *province.probes(past, minutes(0), minutes(5), "down", cause="dns"))
    await province.feed(ingest, *province.probes(past, minutes(5), minutes(30)))
    await province.feed(ingest, *province.probes(present, minutes(20), minutes(30), "down", cause="dns"))
    await province.feed(ingest, *province.watched(minutes(30)))
    (opened,) = await watch.check(minutes(30))
    assert opened["data"]["camera_code"] == "CAM-02"


async def test_agreed_maintenance_ends_an_outage_as_such(watch: Watch, ingest: Ingest, province: Province) -> None:
    camera = province.camera()
    window = province.window(minutes(12), minutes(40), camera_id=camera.id, agreed_at=DAY, changed_at=DAY)
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(ingest, province.stated("maintenance_window", window))
    down = province.probes(camera, minutes(5), minutes(20), "down", cause="timeout")
    await province.feed(ingest, *down, *province.watched(minutes(20)))
    assert names(await watch.check(minutes(11))) == ["outage_opened"]
    (closed,) = await watch.check(minutes(20))
    assert (closed["data"]["followed_by"], closed["data"]["ended_at"]) == ("maintenance", "2026-11-20T00:12:00Z")


async def test_a_site_fault_is_published_once_with_its_cameras(
    watch: Watch, ingest: Ingest, province: Province
) -> None:
    cameras = [province.camera(f"CAM-0{number}") for number in (1, 2)]
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in cameras))
    assert await watch.check(minutes(1)) == []

    def fault(ended: float | None) -> Any:
        data = SiteObservedV1(
            facility_id=province.facility,
            state=SiteState.FAILING if ended is None else SiteState.OVER,
            cause=Cause.ROUTE,
            camera_ids=tuple(one.id for one in cameras),
            began_at=minutes(5),
            ended_at=None if ended is None else minutes(ended),
        )
        return new_event(data, source="/prober/site", subject=str(province.facility), time=minutes(ended or 5))

    await province.feed(ingest, fault(None))
    (opened,) = await watch.check(minutes(6))
    assert names([opened]) == ["site_fault_opened"]
    assert opened["data"]["camera_ids"] == sorted(str(one.id) for one in cameras)
    assert opened["data"]["facility_code"] == "KCL-01"
    assert await watch.check(minutes(7)) == []
    await province.feed(ingest, fault(9), fault(9))
    (closed,) = await watch.check(minutes(10))
    assert (names([closed]), closed["data"]["ended_at"]) == (["site_fault_closed"], "2026-11-20T00:09:00Z")
    assert await watch.check(minutes(60)) == []


async def test_the_end_of_a_site_fault_that_comes_late_is_published_and_a_fault_that_comes_late_is_not(
    watch: Watch, ingest: Ingest, province: Province
) -> None:
    def fault(began: float, ended: float | None) -> Any:
        data = SiteObservedV1(
            facility_id=province.facility,
            state=SiteState.FAILING if ended is None else SiteState.OVER,
            cause=Cause.ROUTE,
            camera_ids=(uuid4(),),
            began_at=minutes(began),
            ended_at=None if ended is None else minutes(ended),
        )
        return new_event(data, source="/prober/site", subject=str(province.facility), time=minutes(ended or began))

    await province.feed(ingest, *province.base())
    assert await watch.check(minutes(4)) == []
    await province.feed(ingest, fault(5, None))
    assert names(await watch.check(minutes(6))) == ["site_fault_opened"]
    assert await watch.check(minutes(60)) == []
    await province.feed(ingest, fault(5, 9), fault(20, 25))
    (closed,) = await watch.check(minutes(61))
    assert (names([closed]), closed["data"]["ended_at"]) == (["site_fault_closed"], "2026-11-20T00:09:00Z")
    assert await watch.check(minutes(62)) == []


async def test_of_two_replicas_one_watches_at_a_time(watch: Watch, database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("select pg_advisory_xact_lock(17420520)"))
        assert await watch.check(minutes(1)) == []
        position = (await session.execute(text("select count(*) from feed_position"))).scalar_one()
    assert position == 0

"""The present in memory is that of the whole account, whatever comes, in whatever order, and however late."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from reporting.ingest.handlers import Ingest
from reporting.reports.present.board import Board
from reporting.reports.present.keeper import Keeper
from reporting.storage.upkeep.announcements import Announced, Later, Listener, announce
from vonggac.events.inventory import CameraV1, FacilityStatus, RemovedV1

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.settings import Settings
    from vonggac.database import Database

T0 = datetime(2026, 11, 20, 3, tzinfo=UTC)


class Present:
    """A keeper with its listener, ingest, and a clock that the test sets."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.now = T0
        self.database = database
        self.ingest = Ingest(database, settings, clock=lambda: self.now)
        self.listener: Listener
        self.keeper: Keeper
        self.restart()

    def restart(self) -> None:
        """A new process, with nothing in memory."""
        self.keeper = Keeper(self.database, Board(), lambda: self.now, alive_s=15, every_s=1)

    async def round(self) -> None:
        await self.keeper.account(await self.listener.read())
        # A whole account may wait for its turn: here it need not.
        self.keeper._whole_after = 0.0
        await self.keeper.account(Announced())

    def row(self, camera: CameraV1) -> Any:
        return self.keeper.board.rows.get(str(camera.id))


@pytest.fixture
def present_of(database: Database, settings: Settings) -> Callable[[], Any]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Present]:
        present = Present(database, settings)
        present.listener = await Listener.open(database)
        try:
            yield present
        finally:
            await present.listener.close()

    return opened


async def test_a_probe_changes_its_camera_and_no_other(present_of: Callable[[], Any], province: Province) -> None:
    async with present_of() as present:
        one, other = province.camera("CAM-01"), province.camera("CAM-02")
        await province.feed(present.ingest, *province.base(), province.stated("camera", one))
        await province.feed(present.ingest, province.stated("camera", other), *province.watched(T0))
        await province.feed(present.ingest, province.probe(one, T0), province.probe(other, T0))
        present.now = T0 + timedelta(seconds=1)
        await present.round()
        assert [present.row(each).camera.state for each in (one, other)] == ["up", "up"]
        board = present.keeper.board
        before, number = present.row(other), board.number
        failed = T0 + timedelta(seconds=2)
        present.now = T0 + timedelta(seconds=3)
        await province.feed(present.ingest, province.probe(one, failed, "down", cause="timeout"))
        await present.round()
        assert present.row(one).camera[:2] == ("down", "timeout")
        assert present.row(one).confirmed.state == "up"
        assert present.row(other) is before
        assert set(board.changes_since(number) or ()) == {str(one.id)}


async def test_what_nobody_says_any_more_ends_by_itself(present_of: Callable[[], Any], province: Province) -> None:
    async with present_of() as present:
        camera = province.camera()
        await province.feed(present.ingest, *province.base(), province.stated("camera", camera), *province.watched(T0))
        await province.feed(present.ingest, province.probe(camera, T0, every_s=30))
        present.now = T0 + timedelta(seconds=10)
        await present.round()
        assert present.row(camera).camera.state == "up"
        # The prober lives on, and probes no more: its claim ends after two intervals.
        await province.feed(present.ingest, *province.watched(T0 + timedelta(seconds=61)))
        present.now = T0 + timedelta(seconds=61)
        await present.round()
        assert present.row(camera).camera.state == "unknown"
        assert await present.keeper.count_differences_of_all() == 0


async def test_a_camera_that_is_being_connected_is_down_until_a_probe_finds_it_up(
    present_of: Callable[[], Any], province: Province
) -> None:
    async with present_of() as present:
        camera = province.camera(created_at=T0, changed_at=T0)
        await province.feed(present.ingest, *province.base(), province.stated("camera", camera), *province.watched(T0))
        at = T0 + timedelta(seconds=10)
        await province.feed(present.ingest, province.probe(camera, at, "down", cause="auth_failed", every_s=3600))
        for minutes, state in ((1, "down"), (20, "down"), (21, "up"), (40, "up")):
            present.now = T0 + timedelta(minutes=minutes)
            await province.feed(present.ingest, *province.watched(present.now))
            if minutes == 21:
                came_up = present.now - timedelta(seconds=1)
                await province.feed(present.ingest, province.probe(camera, came_up, every_s=3600))
            await present.round()
            assert present.row(camera).camera.state == state
            assert await present.keeper.count_differences_of_all() == 0


async def test_a_camera_that_came_up_at_this_very_moment_is_up_the_next_by_itself(
    present_of: Callable[[], Any], province: Province
) -> None:
    async with present_of() as present:
        camera = province.camera(created_at=T0, changed_at=T0)
        await province.feed(present.ingest, *province.base(), province.stated("camera", camera), *province.watched(T0))
        await province.feed(present.ingest, province.probe(camera, T0, "down", cause="frozen", every_s=30))
        present.now = T0 + timedelta(seconds=5)
        await province.feed(present.ingest, province.probe(camera, present.now, every_s=30))
        await present.round()
        present.now += timedelta(milliseconds=2)
        await present.round()
        assert present.row(camera).camera.state == "up"
        assert await present.keeper.count_differences_of_all() == 0


async def test_a_silent_prober_leaves_all_unknown(present_of: Callable[[], Any], province: Province) -> None:
    async with present_of() as present:
        camera = province.camera()
        await province.feed(present.ingest, *province.base(), province.stated("camera", camera), *province.watched(T0))
        await province.feed(present.ingest, province.probe(camera, T0, every_s=600))
        await present.round()
        assert present.row(camera).camera.state == "up"
        present.now = T0 + timedelta(seconds=16)
        await present.round()
        assert present.row(camera).camera.state == "unknown"
        await province.feed(present.ingest, *province.watched(present.now))
        await present.round()
        assert present.row(camera).camera.state == "up"


async def test_a_removed_camera_leaves_and_one_that_is_switched_off_keeps_when(
    present_of: Callable[[], Any], province: Province
) -> None:
    async with present_of() as present:
        gone, off = province.camera("CAM-01"), province.camera("CAM-02")
        since = T0 - timedelta(days=40)
        switched = off.model_copy(update={"revision": 2, "enabled": False, "changed_at": since})
        await province.feed(present.ingest, *province.base(), province.stated("camera", gone))
        await province.feed(present.ingest, province.stated("camera", off), province.stated("camera", switched))
        await present.round()
        assert present.row(off).camera == ("out_of_scope", "switched_off", int(since.timestamp() * 1000))
        removed = RemovedV1(noun="camera", id=gone.id, revision=2, removed_at=T0, removed_by="lead")
        await province.feed(present.ingest, province.stated("camera", removed))
        present.now = T0 + timedelta(seconds=1)
        await present.round()
        assert present.row(gone) is None
        assert await present.keeper.count_differences_of_all() == 0


async def test_an_unknown_state_keeps_when_it_began_beyond_a_day(
    present_of: Callable[[], Any], province: Province
) -> None:
    async with present_of() as present:
        camera = province.camera()
        await province.feed(present.ingest, *province.base(), province.stated("camera", camera), *province.watched(T0))
        present.now = T0 + timedelta(seconds=30)
        await province.feed(present.ingest, province.probe(camera, T0), *province.watched(present.now))
        present.now = T0 + timedelta(days=3)
        await present.round()
        assert present.row(camera).camera.state == "unknown"
        assert present.row(camera).camera.since is not None
        began = datetime.fromtimestamp(present.row(camera).camera.since / 1000, UTC)
        assert T0 <= began <= T0 + timedelta(seconds=60)


async def test_a_difference_that_nothing_announced_is_counted_once_and_mended(
    present_of: Callable[[], Any], province: Province
) -> None:
    async with present_of() as present:
        camera = province.camera()
        await province.feed(present.ingest, *province.base(), province.stated("camera", camera), *province.watched(T0))
        await province.feed(present.ingest, province.probe(camera, T0, every_s=600))
        present.now = T0 + timedelta(seconds=1)
        await present.round()
        board = present.keeper.board
        right = present.row(camera)
        board.rows[right.id] = board.by_facility[right.facility.id][right.id] = right._replace(name="khác")
        for _ in range(3):
            present.now += timedelta(seconds=11)
            await province.feed(present.ingest, *province.watched(present.now))
            await present.round()
        assert board.differences == 1
        assert present.row(camera) == right


async def test_what_is_announced_comes_with_the_commit_and_whole(database: Database) -> None:
    cameras = frozenset(uuid4() for _ in range(800))
    said = Announced(cameras, (Later(17, cameras), Later(18, None)), everything=True)
    listener = await Listener.open(database)
    try:
        async with database.transaction() as session:
            await announce(session, said)
            assert await listener.read() == Announced()
        heard = await listener.read()
    finally:
        await listener.close()
    assert (heard.cameras, heard.everything) == (cameras, True)
    assert {one.after for one in heard.later} == {17, 18}
    assert frozenset().union(*(one.cameras for one in heard.later if one.cameras)) == cameras


KINDS = (
    *("probe",) * 4, "late", "change", "change", "media", "read_back", "camera", "facility", "destination", "window",
    "alive", "alive", "silence", "restart",
)  # fmt: skip


class _Scenario:
    """Random facts of a small province: late ones, moves, edits, silence, restarts."""

    def __init__(self, present: Present, province: Province, seed: int) -> None:
        self.present, self.province, self.chance = present, province, random.Random(seed)
        self.other = province.facility_state(id=uuid4(), code="KCL-02")
        new = {"created_at": present.now, "changed_at": present.now}
        self.cameras = [province.camera(f"CAM-{number}", **(new if number > 2 else {})) for number in range(5)]
        self.sequence = 0
        self.revisions = dict.fromkeys([province.facility, self.other.id, province.national, province.provincial], 1)

    async def begin(self) -> None:
        province = self.province
        await province.feed(self.present.ingest, *province.base(), province.stated("facility", self.other))
        await province.feed(self.present.ingest, *(province.stated("camera", one) for one in self.cameras))
        await province.feed(self.present.ingest, *province.watched(self.present.now))

    async def step(self) -> str:
        chance, now = self.chance, self.present.now
        number = chance.randrange(len(self.cameras))
        camera = self.cameras[number]
        what = chance.choice(KINDS)
        events = getattr(self, f"_{what}")(camera, number, now)
        if events:
            await self.province.feed(self.present.ingest, *events)
        self.present.now += timedelta(seconds=chance.choice([0, 1, 1, 3, 20]))
        return what

    def _probe(self, camera: CameraV1, _number: int, now: datetime) -> Any:
        verdict = self.chance.choice(["up", "up", "down"])
        cause = self.chance.choice(["timeout", "frozen", "auth_failed"]) if verdict == "down" else None
        return [self.province.probe(camera, now, verdict, cause=cause)]

    def _late(self, camera: CameraV1, number: int, now: datetime) -> Any:
        return self._probe(camera, number, now - timedelta(minutes=self.chance.choice([1, 3, 60, 1500])))

    def _change(self, camera: CameraV1, _number: int, now: datetime) -> Any:
        self.sequence += 1
        state = self.chance.choice(["acknowledged", "verified", "backing_off", "connecting", "released"])
        cause = "refused" if state == "backing_off" else None
        worker = self.chance.choice(["forwarder-000000000001", "forwarder-000000000002"])
        planned = self.chance.choice(camera.deliveries)
        return [self.province.change(planned, camera, self.sequence, now, state, cause=cause, worker=worker)]

    def _media(self, camera: CameraV1, _number: int, now: datetime) -> Any:
        self.sequence += 1
        if self.chance.random() < 0.4:
            stopped = now - timedelta(seconds=2)
            return [self.province.media(camera, self.sequence, now, "stopped", cause="ended", stopped_at=stopped)]
        return [self.province.media(camera, self.sequence, now)]

    def _read_back(self, camera: CameraV1, _number: int, now: datetime) -> Any:
        verdict = self.chance.choice(["verified", "mismatch"])
        cause = "mismatch" if verdict == "mismatch" else None
        return [self.province.read_back(camera.deliveries[0], camera, now, verdict, cause=cause, delay_s=1)]

    def _camera(self, camera: CameraV1, number: int, now: datetime) -> Any:
        changed = camera.model_copy(
            update={
                "revision": camera.revision + 1,
                "changed_at": now,
                "facility_id": self.chance.choice([self.province.facility, self.other.id]),
                "enabled": self.chance.random() < 0.7,
                "name": self.chance.choice(["Cổng chính", "Cổng sau"]),
            }
        )
        self.cameras[number] = changed
        return [self.province.stated("camera", changed)]

    def _next(self, thing: Any) -> int:
        self.revisions[thing] += 1
        return self.revisions[thing]

    def _facility(self, _camera: CameraV1, _number: int, now: datetime) -> Any:
        status = self.chance.choice([FacilityStatus.ACTIVE, FacilityStatus.ACTIVE, FacilityStatus.SUSPENDED])
        changed = self.other.model_copy(
            update={"revision": self._next(self.other.id), "changed_at": now, "status": status}
        )
        return [self.province.stated("facility", changed)]

    def _destination(self, _camera: CameraV1, _number: int, now: datetime) -> Any:
        proof, enabled = self.chance.choice(["acknowledged", "verified"]), self.chance.random() < 0.8
        revision = self._next(self.province.national)
        return [self.province.destination("national", proof=proof, revision=revision, enabled=enabled, changed_at=now)]

    def _window(self, camera: CameraV1, _number: int, now: datetime) -> Any:
        starts = now + timedelta(seconds=self.chance.choice([1, 5]))
        agreed = now - timedelta(minutes=1)
        window = self.province.window(
            starts,
            starts + timedelta(seconds=self.chance.choice([2, 30])),
            camera_id=camera.id,
            changed_at=agreed,
            agreed_at=agreed,
        )
        return [self.province.stated("maintenance_window", window)]

    def _alive(self, _camera: CameraV1, _number: int, now: datetime) -> Any:
        return [*self.province.watched(now), self.province.alive(now, "forwarder-000000000002")]

    def _silence(self, _camera: CameraV1, _number: int, _now: datetime) -> Any:
        self.present.now += timedelta(seconds=self.chance.choice([14, 40, 3700]))
        return [
            self.province.prober_alive(self.present.now, awake_since=self.present.now - timedelta(seconds=10)),
        ]

    def _restart(self, _camera: CameraV1, _number: int, _now: datetime) -> Any:
        self.present.restart()
        return []


@pytest.mark.parametrize("seed", range(2))
async def test_memory_is_the_whole_account_after_each_of_many_events(
    present_of: Callable[[], Any], province: Province, seed: int
) -> None:
    async with present_of() as present:
        scenario = _Scenario(present, province, seed)
        await scenario.begin()
        done: list[str] = []
        for _ in range(40):
            done.append(await scenario.step())
            await present.round()
            assert await present.keeper.count_differences_of_all() == 0, done
            assert present.keeper.board.differences == 0, done

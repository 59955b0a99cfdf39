"""Portions are read ahead: the same accounts in the same order, and whoever takes them may stop or fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from reporting.domain.instants import millis
from reporting.domain.segments import Period
from reporting.reports import accounts as module
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.storage import plan
from reporting.storage.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.reporting.tests.stage.province import Province
    from sqlalchemy.ext.asyncio import AsyncSession

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

DAY = datetime(2026, 11, 20, tzinfo=UTC)
CAMERAS = 7
QUESTION = Question(Period(millis(DAY), millis(DAY + timedelta(days=1))), millis(DAY + timedelta(days=2)), 15_000)


@pytest.fixture
async def fed(database: Database, ingest: Ingest, province: Province) -> Database:
    """Cameras that differ: the n-th has n changes of each delivery, the last has no deliveries at all."""
    cameras = [province.camera(f"CAM-{number}") for number in range(1, CAMERAS)]
    cameras.append(province.camera(f"CAM-{CAMERAS}", deliveries=()))
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in cameras))
    facts = [*province.watched(DAY + timedelta(days=1))]
    for number, camera in enumerate(cameras):
        facts += province.probes(camera, DAY, DAY + timedelta(hours=number), every_s=600)
        for planned in camera.deliveries:
            facts += [
                province.change(planned, camera, at + 1, DAY + timedelta(hours=at), ("acknowledged", "sending")[at % 2])
                for at in range(number)
            ]
    await province.feed(ingest, *facts)
    return database


async def taken[Made](session: AsyncSession, make: Callable[[list[CameraAccount]], Made]) -> list[Made]:
    cameras = await plan.cameras(session, await plan.places(session, plan.Scope(), QUESTION.period))
    return [made async for made in accounts(session, QUESTION, cameras, make)]


async def test_portions_are_in_order_and_change_nothing(fed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async with snapshot(fed) as session:
        (whole,) = await taken(session, list)
        assert [one.camera.code for one in whole] == [f"CAM-{number}" for number in range(1, CAMERAS + 1)]
        assert len({one.account.camera.both for one in whole}) > CAMERAS // 2
        for size in (1, 2, 3, CAMERAS - 1):
            monkeypatch.setattr(module, "SHORT_PORTION", size)
            # More often than a statement is planned anew: psycopg prepares it, PostgreSQL then plans it once for all.
            for _ in range(3):
                portions = await taken(session, list)
                assert len(portions) > 1
                assert [len(portion) for portion in portions[:-1]] == [size] * (len(portions) - 1)
                assert [one for portion in portions for one in portion] == whole


async def test_nothing_is_reported_of_no_cameras(fed: Database) -> None:
    async with snapshot(fed) as session:
        assert [made async for made in accounts(session, QUESTION, [], list)] == []


async def test_the_session_is_free_when_the_reader_stops(fed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORT_PORTION", 2)
    async with snapshot(fed) as session:
        cameras = await plan.cameras(session, await plan.places(session, plan.Scope(), QUESTION.period))
        async for portion in accounts(session, QUESTION, cameras, len):
            assert portion == 2
            break
        assert (await session.execute(text("select 1"))).scalar() == 1


async def test_an_error_of_what_is_made_comes_out(fed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORT_PORTION", 2)

    def failing(portion: list[CameraAccount]) -> int:
        return 1 // (portion[0].camera.code != "CAM-3")

    async with snapshot(fed) as session:
        with pytest.raises(ZeroDivisionError):
            await taken(session, failing)
        assert (await session.execute(text("select 1"))).scalar() == 1

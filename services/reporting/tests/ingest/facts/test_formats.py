"""What each camera was seen to send: a row where it changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reporting.domain.instants import millis
from reporting.storage.mandate import formats as stored
from vonggac.events.prober import Media

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload
    from vonggac.events.inventory import CameraV1

DAY = datetime(2026, 11, 20, tzinfo=UTC)
FULL: dict[str, Any] = {"codec": "h265", "width": 1920, "height": 1080, "fps": 25.0, "bitrate_kbps": 2000.0}


def probe(province: Province, camera: CameraV1, minute: float, **media: Any) -> CloudEvent[Payload]:
    event = province.probe(camera, DAY + timedelta(minutes=minute))
    data = event.data.model_copy(update={"media": Media(**media)})
    return event.model_copy(update={"data": data})


async def rows(database: Database, camera: CameraV1) -> list[stored.SeenFormat]:
    async with database.transaction() as session:
        return await stored.history(session, camera.id, millis(DAY + timedelta(days=1)))


async def test_a_row_begins_where_something_changed(ingest: Ingest, database: Database, province: Province) -> None:
    camera = province.camera()
    for minute, media in ((0, FULL), (1, FULL), (2, FULL | {"codec": "h264"}), (3, FULL | {"codec": "h264"})):
        await province.feed(ingest, probe(province, camera, minute, **media))
    newest, oldest = await rows(database, camera)
    assert (oldest.codec, oldest.began_at) == ("h265", DAY)
    assert (newest.codec, newest.began_at) == ("h264", DAY + timedelta(minutes=2))
    async with database.transaction() as session:
        (then,) = (await stored.at(session, millis(DAY + timedelta(minutes=1)))).values()
    assert then.codec == "h265"


async def test_a_camera_that_falls_back_to_udp_is_a_change(
    ingest: Ingest, database: Database, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, probe(province, camera, 0, **FULL, transport="tcp"))
    await province.feed(ingest, probe(province, camera, 1, **FULL))
    await province.feed(ingest, probe(province, camera, 2, **FULL, transport="udp"))
    assert [row.transport for row in await rows(database, camera)] == ["udp", "tcp"]


async def test_one_batch_and_many_come_to_the_same(ingest: Ingest, database: Database, province: Province) -> None:
    one, other = province.camera(), province.camera("CAM-02")
    media = [FULL, FULL | {"width": 1280, "height": 720}, FULL, FULL | {"fps": 12.0}, FULL | {"fps": 12.6}]
    await province.feed(ingest, *(probe(province, one, 6 * number, **seen) for number, seen in enumerate(media)))
    for number, seen in enumerate(media):
        await province.feed(ingest, probe(province, other, 6 * number, **seen))
    first, second = await rows(database, one), await rows(database, other)
    assert [row[1:] for row in first] == [row[1:] for row in second]
    assert [(row.width, row.fps) for row in first] == [(1920, 12.0), (1920, 25.0), (1280, 25.0), (1920, 25.0)]


async def test_a_rate_that_wavers_and_a_probe_that_measured_less_change_nothing(
    ingest: Ingest, database: Database, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, probe(province, camera, 0, codec="h265"))
    await province.feed(ingest, probe(province, camera, 1, **FULL))
    await province.feed(ingest, probe(province, camera, 2, **FULL | {"fps": 23.2}))
    await province.feed(ingest, probe(province, camera, 3, codec="h265"))
    (row,) = await rows(database, camera)
    assert (row.began_at, row.width, row.fps, row.bitrate_kbps) == (DAY, 1920, 25.0, 2000.0)


async def test_seen_again_moves_the_last_time_every_five_minutes(
    ingest: Ingest, database: Database, province: Province
) -> None:
    camera = province.camera()
    for minute in range(12):
        await province.feed(ingest, probe(province, camera, minute, **FULL))
    await province.feed(ingest, probe(province, camera, -3, **FULL | {"codec": "h264"}))
    (row,) = await rows(database, camera)
    assert row.last_at == DAY + timedelta(minutes=10)

"""A stream that was gone: the report names what was lost, from when until when, and what filled it anew."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.tables.sample import stream_gone

from reporting import metrics
from reporting.ingest.cleanup import keep_house
from reporting.storage.upkeep.tables import stream_loss
from vonggac.bus.declared import topology
from vonggac.bus.declared.keeping import StreamKeeper
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.database import Database
    from vonggac.events.setup import StreamLostV1

pytestmark = pytest.mark.server
MOMENT = timedelta(milliseconds=2)
"""Periods are of whole milliseconds."""


async def delete_and_declare(bus: Bus, keeper: StreamKeeper, stream: str) -> StreamLostV1:
    """As somebody deletes it, and its owner finds it."""
    await bus.js.delete_stream(stream)
    touched, losses = await keeper.declare(bus.client, lambda _before: topology.declare(bus.js))
    assert touched[0] == stream
    [loss] = losses
    return loss


async def notes(client: Client, start: datetime, end: datetime) -> list[dict[str, Any]]:
    answer = await client.get("/v1/compliance", params={"from": start.isoformat(), "to": end.isoformat()})
    assert answer.status_code == 200, answer.text
    return [note for note in answer.json()["notes"] if note["kind"] == "stream_lost"]


def counted(stream: str) -> float:
    return metrics.registry.get_sample_value("vonggac_reporting_streams_lost_total", {"stream": stream}) or 0.0


async def nothing_waits(bus: Bus) -> bool:
    info = await bus.js.consumer_info(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
    return not info.num_pending and not info.num_ack_pending


async def test_streams_gone_twice_while_reporting_is_away_are_named_with_what_it_had_not_taken(
    start: Start, bus: Bus, province: Province
) -> None:
    camera, began, keeper = province.camera(), datetime.now(UTC), StreamKeeper()
    facts = province.probes(camera, began - timedelta(minutes=10), began)
    before = counted(topology.OBSERVATIONS)
    async with start() as client:
        await province.publish(bus, *province.base(), province.stated("camera", camera), *facts)
        await eventually(lambda: nothing_waits(bus), within_s=20)
        await keeper.check(bus.client)
        assert await notes(client, began - timedelta(hours=1), datetime.now(UTC)) == []
    losses = []
    for count in (5, 3):
        unread = province.probes(camera, began, began + timedelta(minutes=count))[:count]
        await province.publish(bus, *unread)
        await keeper.check(bus.client)
        losses.append(await delete_and_declare(bus, keeper, topology.OBSERVATIONS))
    # The second time the fact of the first loss had not been read either.
    assert [loss.unread for loss in losses] == [5, 4]
    async with start() as client:
        await eventually(lambda: nothing_waits(bus), within_s=20)
        end = datetime.now(UTC)
        found = await notes(client, began - timedelta(hours=1), end)
        assert [note["facts"] for note in found] == [5, 4]
        for note, loss in zip(found, losses, strict=True):
            assert abs(datetime.fromisoformat(note["to"]) - loss.lost_until) < timedelta(milliseconds=2)
            assert "OBSERVATIONS" in note["text_vi"]
            assert f"{loss.unread} had not been taken" in note["text_en"]
        assert await notes(client, began - timedelta(hours=1), losses[0].lost_from - MOMENT) == []
    assert counted(topology.OBSERVATIONS) == before + 2


@pytest.mark.parametrize("stream", [topology.INVENTORY, topology.PROBE_JOBS, topology.NOTICES])
async def test_streams_gone_are_named_for_the_time_that_they_touch_and_no_other(
    client: Client, bus: Bus, province: Province, stream: str
) -> None:
    keeper, began = StreamKeeper(), datetime.now(UTC) - timedelta(seconds=1)
    await province.publish(bus, *province.base())
    await keeper.check(bus.client)
    first = await delete_and_declare(bus, keeper, stream)
    second = await delete_and_declare(bus, keeper, stream)

    async def both() -> bool:
        return len(await notes(client, began, datetime.now(UTC))) == 2

    await eventually(both, within_s=20)
    found = await notes(client, began, datetime.now(UTC))
    assert all(stream in note["text_vi"] and stream in note["text_en"] for note in found)
    assert await notes(client, second.lost_until + MOMENT, datetime.now(UTC)) == []
    assert await notes(client, began - timedelta(hours=1), first.lost_from - MOMENT) == []


async def test_streams_gone_of_values_alone_are_no_note_of_a_report(client: Client, bus: Bus) -> None:
    keeper, before = StreamKeeper(), counted("KV_scans")
    await keeper.check(bus.client)
    await delete_and_declare(bus, keeper, "KV_scans")
    await eventually(lambda: counted("KV_scans") == before + 1, within_s=20)
    now = datetime.now(UTC)
    assert await notes(client, now - timedelta(hours=1), now) == []


async def test_streams_gone_are_listed_page_by_page_and_as_a_file(client: Client, bus: Bus) -> None:
    keeper = StreamKeeper()
    await keeper.check(bus.client)
    losses = [await delete_and_declare(bus, keeper, stream) for stream in (topology.NOTICES, "KV_scans")]

    async def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await client.get("/v1/stream-losses")).json()["items"]
        return found if len(found) == 2 else []

    newest, oldest = await eventually(listed, within_s=20)
    assert [newest["stream"], oldest["stream"]] == ["KV_scans", topology.NOTICES]
    assert (oldest["kind"], oldest["consumer"], oldest["filled_with"]) == ("gone", "", "kept_facts")
    assert abs(datetime.fromisoformat(oldest["lost_until"]) - losses[0].lost_until) < MOMENT
    first = (await client.get("/v1/stream-losses", params={"limit": 1, "total": True})).json()
    assert (first["total"], first["items"]) == (2, [newest])
    second = (await client.get("/v1/stream-losses", params={"limit": 1, "cursor": first["next"]})).json()
    assert (second["items"], second["next"]) == ([oldest], None)
    text = (await client.get("/v1/stream-losses", params={"format": "csv"})).text
    assert [row["stream"] for row in csv.DictReader(io.StringIO(text))] == [topology.NOTICES, "KV_scans"]


async def test_streams_gone_before_a_restart_of_reporting_are_alerted_still(
    bus: Bus, database: Database, settings: Settings
) -> None:
    lost_until = datetime.now(UTC) - timedelta(minutes=5)
    async with database.transaction() as session:
        await session.execute(stream_loss.insert().values(**stream_gone(lost_until)))
    await keep_house(database, settings, datetime.now(UTC))
    gauge = "vonggac_reporting_stream_lost_timestamp_seconds"
    assert metrics.registry.get_sample_value(gauge, {"stream": topology.OBSERVATIONS}) == lost_until.timestamp()

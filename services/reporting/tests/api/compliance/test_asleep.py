"""A worker that slept is not connected: not while it slept, not afterwards, not after a restart of reporting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.events.inventory import CameraV1

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


PERIOD = {"from": DAY.isoformat(), "to": at(600).isoformat()}
SLEPT_S, WOKE_S = 200.0, 350.0


async def line(client: Client) -> dict[str, Any]:
    answer = await client.get("/v1/compliance", params=PERIOD)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["cameras"][0]
    return found


async def before_the_sleep(ingest: Ingest, province: Province) -> CameraV1:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(
        ingest,
        *(province.change(planned, camera, 1, at(0), "acknowledged") for planned in camera.deliveries),
        province.alive(at(SLEPT_S)),
    )
    return camera


async def test_asleep_a_forwarder_is_not_connected_also_when_its_claim_is_closed_later(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await before_the_sleep(ingest, province)
    await province.feed(ingest, *province.probes(camera, at(0), at(600)), province.prober_alive(at(600)))
    await province.feed(
        ingest,
        province.alive(at(WOKE_S), awake_since=at(WOKE_S)),
        *(province.change(planned, camera, 2, at(WOKE_S + 1), "acknowledged") for planned in camera.deliveries),
        province.alive(at(600), awake_since=at(WOKE_S)),
    )
    for delivery in (await line(client))["deliveries"]:
        assert delivery["seconds"]["connected"] == SLEPT_S + 600 - (WOKE_S + 1)
        assert delivery["seconds"]["unknown"] == WOKE_S + 1 - SLEPT_S


async def test_asleep_what_was_said_before_the_hole_says_nothing_after_it_also_over_a_restart(
    start: Start, bus: object, ingest: Ingest, province: Province
) -> None:
    camera = await before_the_sleep(ingest, province)
    async with start() as client:
        assert (await line(client))["deliveries"][0]["seconds"]["unknown"] == 400.0
    await province.feed(ingest, province.alive(at(600), awake_since=at(WOKE_S)))
    async with start() as client:
        for delivery in (await line(client))["deliveries"]:
            assert (delivery["seconds"]["connected"], delivery["seconds"]["unknown"]) == (SLEPT_S, 400.0)
    await province.feed(ingest, province.change(camera.deliveries[0], camera, 2, at(500), "acknowledged"))
    async with start() as client:
        assert (await line(client))["deliveries"][0]["seconds"]["connected"] == SLEPT_S + 100.0


async def test_asleep_together_with_everything_nobody_is_connected_and_no_camera_is_up(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """A paused machine: heartbeats and probes say since when they are awake, whatever the receiver did."""
    camera = await before_the_sleep(ingest, province)
    woken = [province.probe(camera, at(WOKE_S + 20), every_s=60, awake_since=at(WOKE_S))]
    woken += [province.alive(at(600), awake_since=at(WOKE_S)), province.prober_alive(at(600), awake_since=at(WOKE_S))]
    asleep = [*province.probes(camera, at(0), at(SLEPT_S), every_s=60), province.prober_alive(at(SLEPT_S))]
    # In the wrong order, too.
    await province.feed(ingest, *woken, *asleep)
    found = await line(client)
    assert found["seconds"]["up"] == SLEPT_S + 120
    assert found["seconds"]["unknown"] == 600 - SLEPT_S - 120
    assert found["seconds"]["both"] == SLEPT_S


async def test_asleep_a_prober_leaves_its_cameras_to_one_that_is_awake(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await before_the_sleep(ingest, province)
    await province.feed(
        ingest,
        *province.probes(camera, at(0), at(240), every_s=60),
        province.prober_alive(at(181)),
        province.probe(camera, at(240), every_s=60, worker="prober-2"),
        province.prober_alive(at(600), worker="prober-2"),
    )
    assert (await line(client))["seconds"]["up"] == 360.0

"""Streams that somebody has deleted: readiness names them, and once they are declared again they are filled anew."""

from typing import Any

import pytest

from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events import subjects
from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.server


async def failures(province: Any) -> dict[str, str]:
    found: dict[str, str] = (await province.client.get("/readyz")).json()["failures"]
    return found


@pytest.mark.parametrize(
    "gone", [("INVENTORY",), ("PROBE_JOBS", "VERIFY_JOBS"), ("INVENTORY", "PROBE_JOBS")], ids="+".join
)
async def test_streams_gone_make_inventory_unready_and_are_filled_anew(
    province: Any, bus: Bus, gone: tuple[str, ...]
) -> None:
    await province.destination()
    cameras = [await province.camera(), await province.camera()]
    await eventually(lambda: queued(bus, cameras), what="the jobs")
    assert await failures(province) == {}
    for stream in gone:
        await bus.js.delete_stream(stream)

    async def named() -> bool:
        reason = (await failures(province)).get("bus", "")
        return all(stream in reason for stream in gone)

    await eventually(named, what="the streams in /readyz")
    cameras.append(await province.camera())
    assert {touched.partition("/")[0] for touched in await topology.declare(bus.js)} == set(gone)

    async def ready() -> bool:
        return await failures(province) == {}

    await eventually(ready, what="a ready inventory")
    await eventually(lambda: queued(bus, cameras), within_s=40, what="the jobs of all cameras, the new one's too")
    for camera in cameras:
        await bus.js.get_last_msg(topology.INVENTORY, subjects.inventory("camera", camera["id"]))


async def queued(bus: Bus, cameras: list[dict[str, Any]]) -> bool:
    """Whether each of these cameras has a job to probe and one to verify."""
    for stream, job in ((topology.PROBE_JOBS, subjects.probe_job), (topology.VERIFY_JOBS, subjects.verify_job)):
        info = await bus.js.stream_info(stream, subjects_filter=job("*"))
        if not {job(camera["id"]) for camera in cameras} <= (info.state.subjects or {}).keys():
            return False
    return True

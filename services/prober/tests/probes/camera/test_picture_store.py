"""A thumbnail is stored once, where its observation is published, and carries the observation's stamp."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from prober.domain.picture import Planes, Thumbnail, reduce_picture
from prober.domain.result import ProbeResult
from prober.probes.camera.picture_store import PictureStore
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.testing import eventually

DEEP_AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@pytest.fixture
def pictures(context: ProbeContext) -> PictureStore:
    return context.pictures


def thumbnail(seed: int) -> Thumbnail:
    rng = np.random.default_rng(seed)
    luma, chroma = (rng.integers(16, 235, size, dtype=np.uint8) for size in ((360, 640), (180, 320)))
    return reduce_picture(Planes(luma, chroma, chroma), DEEP_AT, rng.bytes(32))


async def test_what_this_process_stored_last_is_not_read_from_the_bus_again(
    bus: Bus, outgoing: Outgoing, pictures: PictureStore
) -> None:
    camera_id, mine = uuid4(), thumbnail(1)
    pictures.store(camera_id, mine, deep_at=DEEP_AT)
    await outgoing.drain(within_s=5.0)
    await Bucket(bus, topology.THUMBNAILS).put(str(camera_id), thumbnail(2).encode())
    history = await pictures.read_history(camera_id, deep_at=DEEP_AT)
    assert history is not None
    assert history.previous is mine


@pytest.mark.parametrize("deep_at", [None, DEEP_AT + timedelta(seconds=60)], ids=["unknown", "of another prober"])
async def test_under_another_stamp_the_bus_is_asked(
    bus: Bus, outgoing: Outgoing, pictures: PictureStore, deep_at: datetime | None
) -> None:
    camera_id, theirs = uuid4(), thumbnail(2)
    pictures.store(camera_id, thumbnail(1), deep_at=DEEP_AT)
    await outgoing.drain(within_s=5.0)
    await Bucket(bus, topology.THUMBNAILS).put(str(camera_id), theirs.encode())
    history = await pictures.read_history(camera_id, deep_at=deep_at)
    assert history is not None
    assert history.previous is not None
    assert history.previous.keyframe_hash == theirs.keyframe_hash


async def test_a_probe_that_nobody_publishes_stores_nothing(
    bus: Bus, outgoing: Outgoing, context: ProbeContext, planner: Any, simulate: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    camera = await planner.camera(gate.url())
    result = await CameraProber(context).probe(camera, ProbePlan())
    assert isinstance(result, ProbeResult)
    assert result.judged is not None
    await outgoing.drain(within_s=5.0)
    assert await Bucket(bus, topology.THUMBNAILS).get(str(camera.id)) is None


async def test_a_published_probe_has_its_thumbnail_in_the_bucket(
    bus: Bus, planner: Any, simulate: Any, observed: Any, start_prober: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await start_prober()
    camera = await planner.camera(gate.url(), probe_interval_s=600.0)
    fact = await observed.observation(camera.id)

    async def stored() -> bytes | None:
        return await Bucket(bus, topology.THUMBNAILS).get(str(camera.id))

    value = await eventually(stored)
    assert value is not None
    assert fact.deep_at == fact.observed_at
    # Both by the server's clock, whose measurement may become better in between.
    assert Thumbnail.decode(value).taken_at <= fact.deep_at + timedelta(seconds=1)

"""A simulator in the test's own event loop, on free ports, with clips encoded once per test run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio
import uvloop

from simulator import CameraConfig, CentreConfig, Simulator, SimulatorConfig
from simulator.cameras.camera import Camera
from vonggac.testing.media import MediaRecorder

BOTH_LOOPS = {"test_listener.py", "test_camera_faults.py", "test_camera_access_faults.py", "test_centre_faults.py"}
"""Where sockets are handled in ways in which the loops differ."""

type Simulate = Callable[..., Awaitable[Simulator]]
type Picture = npt.NDArray[np.uint8]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """uvloop, as in the simulator's process; other services' tests run one on plain asyncio."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop}
    if item.path.name in BOTH_LOOPS:
        factories["asyncio"] = asyncio.new_event_loop
    return factories


@pytest_asyncio.fixture
async def simulate(clips_folder: Path) -> AsyncIterator[Simulate]:
    """Start simulators with the given cameras and centres; they are closed after the test."""
    async with AsyncExitStack() as stack:

        async def start(
            *, cameras: list[CameraConfig] | None = None, centres: list[CentreConfig] | None = None
        ) -> Simulator:
            config = SimulatorConfig(cameras=cameras or [], centres=centres or [])
            return await stack.enter_async_context(Simulator(config, cache_folder=clips_folder))

        yield start


@pytest.fixture
def make_camera() -> Callable[..., CameraConfig]:
    """A small, quickly encoded camera with a keyframe every half second."""

    def make(**options: object) -> CameraConfig:
        small = {
            "id": "cam",
            "width": 320,
            "height": 180,
            "fps": 20,
            "bitrate_kbps": 200,
            "gop_s": 0.5,
            "loop_s": 3,
            "number": 7,
        }
        return CameraConfig.model_validate(small | options)

    return make


async def _decode_keyframes(camera: Camera, count: int = 1) -> list[Picture]:
    recorder = await MediaRecorder.play(camera.url(with_credentials=True))
    await recorder.until(lambda seen: sum(unit.keyframe for unit in seen.units) >= count)
    await recorder.close()
    name = recorder.player.tracks[0].codec.upper()
    codec = {"H264": "h264", "H265": "hevc"}[name]
    pictures: list[Picture] = []
    for unit in [unit for unit in recorder.units if unit.keyframe][:count]:
        decoder = av.CodecContext.create(codec, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        data = b"".join(b"\x00\x00\x00\x01" + nal for nal in unit.nals)
        frame = [*decoder.decode(av.Packet(data)), *decoder.decode(None)][0]
        pictures.append(frame.to_ndarray(format="rgb24").astype(np.uint8))
    return pictures


@pytest.fixture
def decode_keyframes() -> Callable[..., Awaitable[list[Picture]]]:
    """Play a camera until it has sent so many keyframes and decode them: arrays of height, width, RGB."""
    return _decode_keyframes

"""The simulator: all cameras and centres of one configuration in one event loop."""

import asyncio
from pathlib import Path
from typing import Self

from simulator.camera import Camera
from simulator.centre import Centre
from simulator.certificates import Authority
from simulator.config import SimulatorConfig
from simulator.library import ClipLibrary
from vonggac.telemetry import get_logger

log = get_logger(__name__)


class Simulator:
    """`async with Simulator(config) as sim:` in a test; `bind`, `start` and `close` in a process of its own.

    `cameras` and `centres` are the devices by id. Entering waits until every clip is encoded and every port is open.
    """

    def __init__(
        self,
        config: SimulatorConfig,
        *,
        host: str = "127.0.0.1",
        advertised_host: str | None = None,
        cache_folder: Path | None = None,
    ) -> None:
        """`host` is listened on, `advertised_host` stands in URLs; encoded clips are kept in `cache_folder`."""
        self.authority = Authority()
        """Who signs the certificates of devices with TLS."""
        self._library = ClipLibrary(cache_folder)
        self.cameras = {
            camera.id: Camera(camera, number, self._library, self.authority, host=host, advertised_host=advertised_host)
            for number, camera in enumerate(config.cameras, start=1)
        }
        self.centres = {
            centre.id: Centre(centre, self.authority, host=host, advertised_host=advertised_host)
            for centre in config.centres
        }
        self._devices: list[Camera | Centre] = [*self.centres.values(), *self.cameras.values()]
        self._preparing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.bind()
        try:
            self.start()
            await self.wait_ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def bind(self) -> None:
        """Reserve all ports; connects are refused until `start`. Raises ListenError when a port is taken."""
        try:
            for device in self._devices:
                device.bind()
        except OSError:
            for device in self._devices:
                device.release()
            raise

    def start(self) -> None:
        """Prepare in the background. Needs `bind` first."""
        self._preparing = asyncio.create_task(self._prepare())

    async def wait_ready(self) -> None:
        """Return when every camera and centre answers. Raises what hindered it."""
        assert self._preparing is not None, "start first"
        await asyncio.shield(self._preparing)

    async def not_ready_reason(self) -> str | None:
        """None when every camera and centre answers, otherwise one line."""
        if self._preparing is None:
            return "not started"
        if not self._preparing.done():
            waiting = sum(not camera.ready for camera in self.cameras.values())
            return f"clips are being encoded: {waiting} of {len(self.cameras)} cameras wait"
        if self._preparing.cancelled():
            return "stopped"
        error = self._preparing.exception()
        return None if error is None else f"{type(error).__name__}: {error}"

    async def close(self) -> None:
        """Stop encoding, cut all connections, give all ports back. Harmless when called twice."""
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        await self._library.close()
        for device in self._devices:
            await device.close()

    async def _prepare(self) -> None:
        async with asyncio.TaskGroup() as group:
            for device in self._devices:
                group.create_task(device.start())
        log.info("simulator_ready", cameras=len(self.cameras), centres=len(self.centres))

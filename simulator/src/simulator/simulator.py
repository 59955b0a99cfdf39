"""The simulator: all cameras and centres of one configuration in one event loop."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Self

from simulator.cameras.camera import Camera
from simulator.centres.centre import Centre
from simulator.centres.kept import KeptPulling
from simulator.clips.library import ClipLibrary
from simulator.config import CameraConfig, CentreConfig, SimulatorConfig
from vonggac.telemetry import get_logger
from vonggac.testing.certificates import Authority

log = get_logger(__name__)


class DeviceExistsError(ValueError):
    """A camera or a centre with an id that another one has."""


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
        pulling_folder: Path | None = None,
    ) -> None:
        """Create the simulator: it listens on `host`, URLs have `advertised_host`, `cache_folder` keeps encoded clips.

        `pulling_folder`: what centres were given to pull is kept there.
        """
        self.authority = Authority()
        """Signs the certificates of devices with TLS."""
        self._library = ClipLibrary(cache_folder)
        self._host = host
        self._advertised_host = advertised_host
        self._pulling_folder = pulling_folder
        self._last_number = 0
        self.cameras: dict[str, Camera] = {}
        self.centres: dict[str, Centre] = {}
        for camera in config.cameras:
            self.cameras[camera.id] = self._new_camera(camera)
        for centre in config.centres:
            self.centres[centre.id] = self._new_centre(centre)
        self._preparing: asyncio.Task[None] | None = None

    @property
    def _devices(self) -> list[Camera | Centre]:
        return [*self.centres.values(), *self.cameras.values()]

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

    async def add_camera(self, config: CameraConfig) -> Camera:
        """Add a camera and return it when it can be played.

        Raises DeviceExistsError, ListenError when its port is taken, FaultError when its fault does not fit.
        """
        return await self._add(self.cameras, config.id, lambda: self._new_camera(config))

    async def add_centre(self, config: CentreConfig) -> Centre:
        """Add a centre and return it when it can be reached. Raises as `add_camera`."""
        return await self._add(self.centres, config.id, lambda: self._new_centre(config))

    async def remove_camera(self, camera_id: str) -> None:
        """Cut its sessions and release its port. It must be ready. Raises KeyError."""
        await self.cameras.pop(camera_id).close()

    async def remove_centre(self, centre_id: str) -> None:
        """As `remove_camera`."""
        await self.centres.pop(centre_id).close()

    async def wait_ready(self) -> None:
        """Return when every camera and centre answers. Raises what prevents that."""
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
        """Stop encoding, cut all connections, release all ports. Harmless when called twice."""
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        await self._library.close()
        for device in self._devices:
            await device.close()

    async def _add[AnyDevice: (Camera, Centre)](
        self, devices: dict[str, AnyDevice], device_id: str, make: Callable[[], AnyDevice]
    ) -> AnyDevice:
        if device_id in devices:
            msg = f"id: {device_id} is in use"
            raise DeviceExistsError(msg)
        device = devices[device_id] = make()
        try:
            device.bind()
            await device.start()
        except BaseException:
            devices.pop(device_id, None)
            await device.close()
            raise
        return device

    def _new_camera(self, config: CameraConfig) -> Camera:
        self._last_number += 1
        return Camera(
            config,
            self._last_number,
            self._library,
            self.authority,
            host=self._host,
            advertised_host=self._advertised_host,
        )

    def _new_centre(self, config: CentreConfig) -> Centre:
        folder = self._pulling_folder
        kept = KeptPulling(folder, config.id) if folder is not None else None
        return Centre(config, self.authority, host=self._host, advertised_host=self._advertised_host, kept=kept)

    async def _prepare(self) -> None:
        async with asyncio.TaskGroup() as group:
            for device in self._devices:
                group.create_task(device.start())
        log.info("simulator_ready", cameras=len(self.cameras), centres=len(self.centres))

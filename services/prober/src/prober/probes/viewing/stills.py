"""Still pictures on demand: what a centre plays back of a delivery, and what its camera sends.

A centre is played like at any read-back: its login, its limits, one session at a time, and hung up on at the first
keyframe. The camera is never connected to: its picture is the keyframe that the forwarder has. Who asks for the same
picture at the same time gets the same one.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from uuid import UUID

from prober.probes.camera.forwarder_probe import NoKeyframe, request_keyframe
from prober.probes.decoding.picture import Undecodable
from prober.probes.decoding.pool import Decoder
from prober.probes.decoding.size import jpeg_size
from prober.probes.verification.readback import CodedPicture, ReadBack
from prober.probes.verification.scheduler import Verifications
from prober.probes.viewing.still import NoStill, PictureOf, Still, StillResult
from vonggac.bus import Bus
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1, PlannedDelivery

FRESH_S = 2.0
"""A picture is given to whoever asks for the same one within this time."""
KEYFRAME_WITHIN_S = 8.0
"""For the forwarder's answer; keyframes of most cameras come every four seconds at most."""
NOT_GIVEN_BACK = "the centre gives nothing back: no read-back address is planned for this delivery"

type _Key = tuple[UUID, UUID | None, int]


class Stills:
    """One per process: fetches, decodes and shares pictures. Keeps none for longer than FRESH_S."""

    def __init__(self, bus: Bus, verifications: Verifications, decoder: Decoder, *, most: int) -> None:
        """`most`: pictures fetched at a time; further ones wait."""
        self._bus, self._verifications, self._decoder = bus, verifications, decoder
        self._room = asyncio.Semaphore(most)
        self._shared: dict[_Key, asyncio.Task[StillResult]] = {}

    async def of_centre(self, camera: CameraV1, delivery: PlannedDelivery, width: int) -> StillResult:
        """Fetch what the delivery's centre plays back now; `width`: at most so wide."""
        if delivery.read_back_url is None:
            return NoStill(None, NOT_GIVEN_BACK)
        return await self._share((camera.id, delivery.id, width), lambda: self._play_back(camera, delivery, width))

    async def of_camera(self, camera: CameraV1, width: int) -> StillResult:
        """Fetch the keyframe that the camera's forwarder has. Raises NatsError, TimeoutError or OSError."""
        return await self._share((camera.id, None, width), lambda: self._request_keyframe(camera, width))

    async def _share(self, key: _Key, fetch: Callable[[], Coroutine[object, object, StillResult]]) -> StillResult:
        task = self._shared.get(key)
        if task is None:
            task = self._shared[key] = asyncio.create_task(self._within_room(fetch), name="still")
            task.add_done_callback(partial(self._forget_later, key))
        # Who hangs up leaves the picture to the others who wait for it.
        return await asyncio.shield(task)

    async def _within_room(self, fetch: Callable[[], Coroutine[object, object, StillResult]]) -> StillResult:
        async with self._room:
            return await fetch()

    def _forget_later(self, key: _Key, task: "asyncio.Task[StillResult]") -> None:
        # A failure is nobody's but theirs who wait for it now.
        failed = task.cancelled() or task.exception() is not None
        asyncio.get_running_loop().call_later(0.0 if failed else FRESH_S, self._shared.pop, key, None)

    async def _play_back(self, camera: CameraV1, delivery: PlannedDelivery, width: int) -> StillResult:
        within_s = self._verifications.verifier.limits.first_within_s
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._verifications.alone(camera, [delivery]):
                return await self._play(delivery, width)
        return NoStill(Cause.TIMEOUT, f"no whole picture came back within {within_s:.0f} s")

    async def _play(self, delivery: PlannedDelivery, width: int) -> StillResult:
        verifier, changed = self._verifications.verifier, asyncio.Event()
        readback = verifier.read_back(changed, keeps_picture=True)
        opening = asyncio.create_task(verifier.open(readback, delivery), name="open-still")
        try:
            picture = await _first_picture(readback, changed)
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            await readback.close()
        if picture is None:
            failure = readback.seen.failure
            assert failure is not None, "without a picture there is a failure"
            return NoStill(failure.cause, failure.detail)
        return await self._decode(PictureOf.CENTRE, picture, width)

    async def _request_keyframe(self, camera: CameraV1, width: int) -> StillResult:
        found = await request_keyframe(self._bus, camera.id, timeout_s=KEYFRAME_WITHIN_S)
        if isinstance(found, NoKeyframe):
            words = found.detail or ("no keyframe has come" if found.pulled else "no forwarder has the camera now")
            return NoStill(found.cause, words)
        return await self._decode(PictureOf.CAMERA, CodedPicture(found.codec, found.nals, found.captured_at), width)

    async def _decode(self, of: PictureOf, coded: CodedPicture, width: int) -> StillResult:
        result = await self._decoder.decode(coded.codec, coded.nals, taken_at=coded.came_at, jpeg_width=width)
        if isinstance(result, Undecodable):
            return NoStill(result.cause, result.reason)
        if not result.jpeg:
            return NoStill(Cause.DECODE_FAILED, "no JPEG could be made of the picture")
        wide, high = jpeg_size(width, result.width, result.height)
        return Still(of, result.jpeg, wide, high, coded.codec.value.lower(), coded.came_at)


async def _first_picture(readback: ReadBack, changed: asyncio.Event) -> CodedPicture | None:
    """None when it failed before one came."""
    while readback.picture is None and readback.seen.failure is None:
        await changed.wait()
        changed.clear()
    return readback.picture

"""What pages read of probers: a picture that a person views."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import httpx

from console.apis.caller import Answer, Caller

LIVE_SILENCE_S = 60.0
"""A prober that opens a centre, or waits for its next picture, answers or ends earlier by itself."""


class Prober:
    """Questions of pages to the prober."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def view(self, token: str, camera_id: str, delivery_id: str | None, width: int) -> Answer:
        """Take a picture, recorded: of a delivery what its centre gives back, of a camera alone what it sends."""
        body: dict[str, object] = {"camera_id": camera_id, "width": width}
        if delivery_id is not None:
            body["delivery_id"] = delivery_id
        return await self.caller.send(token, "POST", "/v1/pictures", body=body)

    def view_live(self, token: str, camera_id: str, delivery_id: str) -> AbstractAsyncContextManager[httpx.Response]:
        """View live what a delivery's centre gives back, as fragmented MP4. It is recorded."""
        body = {"camera_id": camera_id, "delivery_id": delivery_id}
        return self.caller.open_stream(token, "/v1/pictures/live", body, silence_s=LIVE_SILENCE_S)

    def view_many(
        self, token: str, tiles: Sequence[tuple[str, str | None]], width: int, every_s: float
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Pictures of many tiles (camera and delivery), a line each, round after round. They are recorded."""
        wanted = [{"camera_id": camera, "delivery_id": delivery} for camera, delivery in tiles]
        body = {"tiles": wanted, "width": width, "every_s": every_s}
        return self.caller.open_stream(token, "/v1/pictures/stream", body)

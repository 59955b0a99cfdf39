"""What pages read of probers: a picture that a person views."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import httpx

from console.apis.caller import Answer, Caller


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

    def view_many(
        self, token: str, tiles: Sequence[tuple[str, str | None]], width: int, every_s: float
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Pictures of many tiles (camera and delivery), a line each, round after round. They are recorded."""
        wanted = [{"camera_id": camera, "delivery_id": delivery} for camera, delivery in tiles]
        body = {"tiles": wanted, "width": width, "every_s": every_s}
        return self.caller.stream_lines(token, "/v1/pictures/stream", body)

"""Whoever does not read a download holds nothing that others need."""

import asyncio
from typing import Any

DOWNLOADS = 20
"""More than the connections that the pool has."""


class SlowReader:
    """Asks for a file, and takes no more than its first piece."""

    def __init__(self, client: Any, path: str) -> None:
        self.begun = asyncio.Event()
        self._app, self._authorization = client._transport.app, client.headers["authorization"]
        self._task = asyncio.create_task(self._ask(path))

    async def _ask(self, path: str) -> None:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("10.1.1.1", 1),
            "headers": [(b"host", b"inventory"), (b"authorization", self._authorization.encode())],
            "server": ("inventory", 80),
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                self.begun.set()
                await asyncio.Event().wait()

        await self._app(scope, receive, send)

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_downloads_that_nobody_reads_hold_no_connection_of_the_database(province: Any) -> None:
    await province.camera()
    readers = [SlowReader(province.client, "/v1/exports/cameras.csv") for _ in range(DOWNLOADS)]
    try:
        async with asyncio.timeout(10):
            await asyncio.gather(*(reader.begun.wait() for reader in readers))
            assert (await province.client.get("/v1/cameras")).status_code == 200
    finally:
        await asyncio.gather(*(reader.leave() for reader in readers))

"""Whoever does not read a download holds nothing that others need, and whoever asks for no file gets none made."""

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
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "client": ("10.1.1.1", 1),
            "headers": [(b"host", b"inventory"), (b"authorization", self._authorization.encode())],
            "server": ("inventory", 80),
        }

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


async def test_of_a_file_that_is_asked_for_its_headers_alone_nothing_is_made(province: Any) -> None:
    camera = await province.camera()
    one = f"facilities/{camera['facility_id']}.xlsx"
    for path in ("cameras.csv", "cameras.csv?format=excel-vi", "cameras.xlsx", one):
        asked = await province.client.head(f"/v1/exports/{path}")
        got = await province.client.get(f"/v1/exports/{path}")
        assert (asked.status_code, asked.content) == (200, b""), path
        # How a body is sent shows when it is made (RFC 9110, 9.3.2).
        for name in ("content-type", "content-disposition", "cache-control"):
            assert asked.headers[name] == got.headers[name], path
    nothing = f"/v1/exports/facilities/{camera['id']}.xlsx"
    assert (await province.client.head(nothing)).status_code == 404

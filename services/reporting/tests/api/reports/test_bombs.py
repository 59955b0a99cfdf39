"""Files to verify that cost far more than they weigh: the service goes on, and takes none of their memory."""

from __future__ import annotations

import asyncio
import io
import json
import resource
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.server

MOST_STALL_S, MOST_GROWTH_KB = 0.5, 64 * 1024
"""On a busy machine; the file of JSON held the loop up for 12 s."""


def packed(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("word/document.xml", bytes(128 << 20))
    return buffer.getvalue()


def large_json() -> bytes:
    """28 MB of rows, with a header that is none."""
    row = json.dumps({f"column_{number}": number for number in range(20)})
    return (
        b'{"header":{},"sha256":"","approval":null,"tables":{"cameras":[' + b",".join([row.encode()] * 75_000) + b"]}}"
    )


BOMBS = {
    "bzip2": packed(zipfile.ZIP_BZIP2),
    "lzma": packed(zipfile.ZIP_LZMA),
    "deflate": packed(zipfile.ZIP_DEFLATED),
    "json": large_json(),
    "deep json": b'{"header":' + b"[" * 5_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs_to_verify_are_no_report_and_hold_nobody_up(client: httpx.AsyncClient, name: str) -> None:
    longest_s = 0.0

    async def watch() -> None:
        nonlocal longest_s
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.02)
            longest_s = max(longest_s, time.monotonic() - began - 0.02)

    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    watching = asyncio.create_task(watch())
    answer = (await client.post("/v1/reports/verify", content=BOMBS[name], timeout=90)).json()
    watching.cancel()
    assert (answer["unaltered"], answer["report_id"]) == (False, None)
    assert answer["differences"]
    assert longest_s < MOST_STALL_S
    # The body itself comes in pieces and is put together once.
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < MOST_GROWTH_KB + 3 * len(BOMBS[name]) // 1024
    )

"""Peers that are no camera: what a wrong port or a wrong setting leads to."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from vonggac.testing.certificates import ServerCertificate
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

PAGE = b"<html><head><title>NVR</title></head><body>Login</body></html>\n"

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A web server of before status lines (HTTP/0.9)."""
    await reader.read(4096)
    writer.write(PAGE)
    writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.close()


async def start_all(stack: AsyncExitStack) -> dict[str, str]:
    """Addresses by name: of a TLS port, a page without a status line, a fault at PLAY, no answer, no such playlist."""

    async def listen(serve: Serve, *, tls: bool = False) -> int:
        context = ServerCertificate.self_signed().server_context if tls else None
        server = await stack.enter_async_context(await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
        return int(server.sockets[0].getsockname()[1])

    fault = reply(500, reason="Internal Server Error")
    peer = await stack.enter_async_context(ScriptedPeer(ScriptedCamera(PLAY=lambda _: fault)))
    unknown = await stack.enter_async_context(ScriptedPeer(ScriptedCamera(DESCRIBE=lambda _: reply(404, reason="No"))))
    return {
        "W-TLS": f"rtsp://127.0.0.1:{await listen(hang_up, tls=True)}/live",
        "W-PAGE": f"rtsp://127.0.0.1:{await listen(page)}/live",
        "W-FAULT": f"rtsp://127.0.0.1:{peer.port}/live",
        "W-HANGUP": f"rtsp://127.0.0.1:{await listen(hang_up)}/live",
        "W-UNKNOWN": f"rtsp://127.0.0.1:{unknown.port}/no-such-stream",
        "W-HLS": f"http://127.0.0.1:{await listen(page)}/live.m3u8",
    }

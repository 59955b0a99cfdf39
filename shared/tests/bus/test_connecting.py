import asyncio
import contextlib

from vonggac.bus import Bus
from vonggac.testing.fixtures import NatsAt


async def test_a_cancelled_connect_leaves_no_socket_open() -> None:
    """A service that is stopped while NATS is slow to greet it: once the garbage collector found the socket."""
    accepted, ended = asyncio.Event(), asyncio.Event()

    async def never_greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(never_greets, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        connecting = asyncio.create_task(Bus.connect(NatsAt(f"nats://127.0.0.1:{port}"), name="test"))
        async with asyncio.timeout(10):
            await accepted.wait()
            connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connecting
            await ended.wait()
    finally:
        server.close()
    assert connecting.cancelled()

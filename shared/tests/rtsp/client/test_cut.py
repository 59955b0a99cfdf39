"""What becomes of media that a peer has not taken when its connection is given up."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from vonggac.rtsp import RtspConnection

MANY_BYTES = 8 * 2**20


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Run a coroutine on the one and on the other event loop."""

    def on_loop(coroutine: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(coroutine)

    return on_loop


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(5)
        yield made


async def abandoned(listener: socket.socket, media: bytes, *, within: str) -> socket.socket:
    """The peer's side of a connection that was given up after `media`, of which the peer has read nothing."""
    connection = await RtspConnection.open("127.0.0.1", listener.getsockname()[1], timeout_s=5)
    peer = listener.accept()[0]
    peer.settimeout(5)
    connection.write_media(media)
    if within == "at once":
        connection.abort()
    else:
        connection.close()
    await connection.wait_closed()
    return peer


def taken_until_the_end(peer: socket.socket) -> int:
    """Bytes that could be read until FIN. Raises ConnectionResetError for RST."""
    taken = 0
    while data := peer.recv(65536):
        taken += len(data)
    return taken


@pytest.mark.parametrize("within", ["at once", "a second"])
def test_what_a_hung_peer_has_not_taken_is_lost_with_its_connection(
    run: Callable[..., None], listener: socket.socket, within: str
) -> None:
    async def scene() -> None:
        with await abandoned(listener, bytes(MANY_BYTES), within=within) as peer, pytest.raises(ConnectionResetError):
            taken_until_the_end(peer)

    run(scene())


@pytest.mark.parametrize("within", ["at once", "a second"])
def test_a_connection_that_owes_nothing_ends_politely(
    run: Callable[..., None], listener: socket.socket, within: str
) -> None:
    async def scene() -> None:
        with await abandoned(listener, b"", within=within) as peer:
            assert taken_until_the_end(peer) == 0

    run(scene())

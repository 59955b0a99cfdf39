"""However much one peer sends at once: an iteration of the event loop handles a bounded part of it."""

import asyncio
import struct
from collections import Counter

import pytest

from vonggac.events.causes import Cause
from vonggac.media.rtp import interleave
from vonggac.net.errors import PeerError
from vonggac.net.iterations import AT_ONCE, go_on_later
from vonggac.rtsp import MediaBatch, Request, RtspConnection
from vonggac.rtsp.wire.fast_path import FastPath
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedPeer, reply
from vonggac.testing.waiting import IterationCounter

EMPTY_RTP = interleave(0, struct.pack(">BBHII", 0x80, 96, 0, 0, 7))
AT_MOST = 2 * AT_ONCE
"""An iteration ends what an earlier one left, and may read again."""


class Iterations(IterationCounter):
    """The frames that came in each iteration."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: Counter[int] = Counter()

    def on_media(self, batch: MediaBatch) -> None:
        self.frames[self.number] += batch.count


async def connect(peer: ScriptedPeer, turns: Iterations) -> tuple[RtspConnection, asyncio.Future[PeerError | None]]:
    lost: asyncio.Future[PeerError | None] = asyncio.get_running_loop().create_future()
    connection = await RtspConnection.open(
        "127.0.0.1", peer.port, timeout_s=5, on_media=turns.on_media, on_lost=lost.set_result
    )
    return connection, lost


def answer_with(media: bytes) -> ScriptedPeer:
    def answer(request: Request) -> bytes:
        response = reply()
        response.headers.set("CSeq", str(request.cseq))
        return media + response.encode()

    return ScriptedPeer(answer)


@pytest.mark.parametrize(
    ("piece", "frames"),
    [
        pytest.param(EMPTY_RTP, 1, id="RTP without payload"),
        pytest.param(EMPTY_RTP + b"\0", 1, id="and a byte of junk behind each"),
        pytest.param(EMPTY_RTP * 200 + b"\0", 200, id="and a byte of junk now and then"),
    ],
)
async def test_a_hostile_buffer_of_tiny_frames_takes_many_iterations_and_nothing_of_it_is_lost(
    piece: bytes, frames: int
) -> None:
    count = 15_000 // frames
    async with answer_with(piece * count) as peer:
        turns = Iterations()
        connection, _ = await connect(peer, turns)
        answered = await connection.request("PLAY", "rtsp://camera/", timeout_s=20)
        turns.stop()
        assert answered.status == 200
        assert turns.frames.total() == count * frames
        assert max(turns.frames.values()) <= AT_MOST
        assert len(turns.frames) >= count * frames // AT_MOST
        connection.abort()
        await connection.wait_closed()


async def test_a_hostile_flood_is_cut_amid_its_iterations() -> None:
    async with answer_with(EMPTY_RTP * 100_000) as peer:
        turns = Iterations()
        connection, lost = await connect(peer, turns)
        with pytest.raises(PeerError):
            await connection.request("PLAY", "rtsp://camera/", timeout_s=20)
        error = await lost
        turns.stop()
        assert error is not None
        assert error.cause is Cause.FLOOD
        assert max(turns.frames.values()) <= AT_MOST
        assert turns.frames.total() < 25_000
        await connection.wait_closed()


async def test_a_hostile_flood_does_not_stay_on_the_fast_path() -> None:
    """Which counts once a second: until then it would be passed on as fast as it comes."""
    async with answer_with(EMPTY_RTP * 100_000) as peer:
        turns, passed_on = Iterations(), bytearray()
        connection, lost = await connect(peer, turns)
        path = FastPath(channels=frozenset({0, 1}), video_channel=0)
        path.writes = (passed_on.extend,)
        connection.open_fast_path(path)
        with pytest.raises(PeerError):
            await connection.request("PLAY", "rtsp://camera/", timeout_s=20)
        error = await lost
        turns.stop()
        assert error is not None
        assert error.cause is Cause.FLOOD
        await connection.wait_closed()


def test_the_fast_path_takes_a_full_read_of_a_healthy_camera() -> None:
    path = FastPath(channels=frozenset({0, 1}), video_channel=0)
    path.writes = (lambda _: None,)
    assert path.pass_on(interleave(0, bytes(200)) * 1_250)
    assert not path.pass_on(EMPTY_RTP * (AT_ONCE + 1))
    assert path.pass_on(EMPTY_RTP * AT_ONCE)


async def test_a_connection_that_is_closed_amid_its_iterations_takes_no_more() -> None:
    async with answer_with(EMPTY_RTP * 10_000) as peer:
        turns = Iterations()
        connection, lost = await connect(peer, turns)

        def close_after_first(batch: MediaBatch) -> None:
            turns.on_media(batch)
            connection.close()

        connection.on_media = close_after_first
        with pytest.raises(PeerError):
            await connection.request("PLAY", "rtsp://camera/", timeout_s=20)
        assert await lost is None
        await connection.wait_closed()
        turns.stop()
        assert turns.frames.total() <= AT_MOST


async def test_a_mistake_in_a_later_iteration_ends_the_connection() -> None:
    unhandled: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unhandled.append(context.get("exception")))
    async with ScriptedPeer(lambda _: None) as peer:
        turns = Iterations()
        connection, lost = await connect(peer, turns)
        turns.stop()
        steps = iter((True, True))

        def step(_: bytes) -> bool:
            return next(steps)

        go_on_later(connection.transport, step)
        go_on_later(connection.transport, step)
        assert not connection.transport.is_reading()
        await eventually(lost.done)
        assert unhandled
        await connection.wait_closed()

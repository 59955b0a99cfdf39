"""Cameras that speak no RTSP and flood: the same bounds, the same cause, and never much of it in one iteration."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from forwarder.relay.demux import packetizer
from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import ChunkReader, Message, write_message
from forwarder.relay.rtmp.connection import RtmpConnection
from forwarder.relay.sources import hls, inputs
from forwarder.relay.sources.container import _Unpacked
from forwarder.relay.sources.hls import MAX_PLAYLIST_BYTES, MAX_SEGMENTS, Playlist, Segment, feed_hls, parse_playlist
from forwarder.relay.sources.inputs import Address, feed_http, feed_udp
from vonggac.embedded import free_port
from vonggac.events import Cause
from vonggac.media.rtp import interleave
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.iterations import AT_ONCE
from vonggac.net.tls import TlsPolicy
from vonggac.rtsp.wire import rates
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.messages import Headers, Request
from vonggac.rtsp.wire.rates import PeerRates
from vonggac.testing import eventually
from vonggac.testing.waiting import IterationCounter

LOOPBACK = AllowedNetworks.parse(["127.0.0.0/8"])
STREAM = 1
GREETING = b"\3" + bytes(2 * 1536)
AT_MOST = 2 * AT_ONCE


def wire(*messages: Message, chunk_bytes: int = chunks.FIRST_CHUNK_BYTES) -> bytes:
    return b"".join(write_message(message, chunk_stream=6, chunk_bytes=chunk_bytes) for message in messages)


def video(size: int) -> Message:
    return Message(chunks.VIDEO, STREAM, 0, bytes(size))


def aggregate(parts: int) -> Message:
    part = bytes([chunks.VIDEO, 0, 0, 4]) + bytes(7) + bytes(4) + struct.pack(">I", 15)
    return Message(chunks.AGGREGATE, STREAM, 0, part * parts)


FEW_BYTES_A_CHUNK = wire(Message(chunks.SET_CHUNK_SIZE, 0, 0, struct.pack(">I", chunks.MIN_CHUNK_BYTES)))
RTMP_FLOODS = {
    "tiny messages": wire(video(chunks.TINY_BYTES)) * 60_000,
    "tiny chunks": FEW_BYTES_A_CHUNK + wire(video(100_000), chunk_bytes=chunks.MIN_CHUNK_BYTES) * 12,
    "aggregates": wire(aggregate(40_000)),
    "pings": wire(Message(chunks.USER_CONTROL, 0, 0, struct.pack(">HI", 6, 1))) * 5_000,
    "commands": wire(Message(chunks.COMMAND, 0, 0, amf.encode("onBWDone", 0.0, None))) * 5_000,
}


class Counted:
    """What came of a connection, iteration by iteration."""

    def __init__(self) -> None:
        self.iterations = IterationCounter()
        self.messages: Counter[int] = Counter()

    def on_message(self, _: Message) -> None:
        self.messages[self.iterations.number] += 1


@pytest.mark.parametrize("flood", RTMP_FLOODS.values(), ids=RTMP_FLOODS)
async def test_a_hostile_flood_by_rtmp_is_cut_and_named_and_takes_many_iterations(flood: bytes) -> None:
    ours, theirs = socket.socketpair()
    counted = Counted()
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_unix_connection(RtmpConnection, sock=ours)
    connection.on_message = counted.on_message
    _, writer = await asyncio.open_unix_connection(sock=theirs)
    writer.write(GREETING + flood)
    try:
        await eventually(lambda: connection.closed, within_s=20)
    finally:
        # uvloop closes no loop in which something goes on for ever.
        counted.iterations.stop()
        writer.transport.abort()
        await connection.close()
    assert connection.error is not None
    assert connection.error.cause is Cause.FLOOD
    assert max(counted.messages.values(), default=0) <= AT_MOST


def test_a_healthy_camera_by_rtmp_is_not_hostile_in_chunks_of_the_first_size() -> None:
    """4K at 60 pictures a second and 100 Mbit/s, whose server never sets another size of chunks."""
    ours, reader = wire(video(208_000)), ChunkReader()
    rates = PeerRates(lambda: 1_000.0)
    for _ in range(60):
        reader.feed(ours)
        rates.count_chunks(reader.taken, len(ours))


def test_a_reader_of_chunks_takes_so_many_at_once_and_loses_nothing() -> None:
    sent = [video(300), video(5), Message(chunks.AUDIO, STREAM, 7, b"sound"), video(1_000)]
    reader, got = ChunkReader(most=2), list[Message]()
    got += reader.feed(wire(*sent) + wire(aggregate(5)))
    while reader.left_over:
        assert reader.taken <= 2
        got += reader.feed(b"")
    assert got[:4] == sent
    assert len(got) == 4 + 5


class Sink:
    """Takes everything."""

    waiting_bytes = 0

    def __init__(self) -> None:
        self.iterations = IterationCounter()
        self.writes: Counter[int] = Counter()

    def write(self, _: bytes) -> None:
        self.writes[self.iterations.number] += 1

    async def room(self) -> None:
        return


async def test_a_hostile_answer_by_http_in_chunks_of_a_byte_is_cut_and_others_have_their_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However slowly this machine reads them, it is more than the bound.
    monkeypatch.setattr(rates, "FRAMES_PER_S", 100)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 60_000)
        await eventually(writer.is_closing, within_s=20)

    sink = Sink()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/live.ts"
        with pytest.raises(PeerError) as flood:
            await feed_http(address(url), sink)
    sink.iterations.stop()
    assert flood.value.cause is Cause.FLOOD
    assert max(sink.writes.values()) <= AT_ONCE


async def test_hostile_datagrams_without_end_are_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    listening: list[inputs._Datagrams] = []
    listen = inputs._listen

    async def keep(*about: Any) -> inputs._Datagrams:
        listening.append(await listen(*about))
        return listening[0]

    monkeypatch.setattr(inputs, "_listen", keep)
    sink = Sink()
    feeding = asyncio.create_task(feed_udp(address(f"udp://127.0.0.1:{free_port()}"), sink))
    await eventually(lambda: listening)
    for _ in range(30_000):
        listening[0].datagram_received(b"x", ("127.0.0.2", 5_000))
    assert listening[0].flood is None
    for _ in range(30_000):
        listening[0].datagram_received(b"x", ("127.0.0.1", 5_000))
    with pytest.raises(PeerError) as flood:
        await feeding
    sink.iterations.stop()
    assert flood.value.cause is Cause.FLOOD
    assert sink.writes.total() < 25_000


async def test_hostile_empty_segments_are_not_fetched_as_fast_as_they_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        first = len(asked)
        lines = [f"#EXTINF:0,\n{number}.ts" for number in range(first, first + 1_000)]
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n" + "\n".join(lines)
        body = playlist if b".m3u8" in asked[-1] else ""
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    monkeypatch.setattr(hls, "_FIRST_WAIT_S", 0.01)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/live.m3u8"
        opened = (url, Playlist(0.01, (Segment(0, url.replace("m3u8", "ts"), 0.0),), ended=False))
        with pytest.raises(PeerError) as flood:
            await feed_hls(address(url), Sink(), opened)
    assert flood.value.cause is Cause.FLOOD
    assert len(asked) < 2_000


def test_hostile_playlists_are_read_in_no_time_or_refused() -> None:
    began_s = time.monotonic()
    long_name = "#EXTM3U\n#EXT-X-MAP:" + "A" * (MAX_PLAYLIST_BYTES - 100)
    assert parse_playlist(long_name, "http://a/").segments == ()
    with pytest.raises(MalformedError, match="lines"):
        parse_playlist("#EXTM3U\n" + "#\n" * 100_000, "http://a/")
    many = parse_playlist("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:5\n" + "#EXTINF:1,\na.ts\n" * 3_000, "http://a/")
    assert [len(many.segments), many.segments[0].number, many.segments[-1].number] == [MAX_SEGMENTS, 2_905, 3_004]
    assert time.monotonic() - began_s < 5.0


@pytest.mark.parametrize("line", ["http://[x/1.ts", "//[/1.ts"])
def test_hostile_addresses_in_a_playlist_are_a_cause(line: str) -> None:
    with pytest.raises(MalformedError):
        parse_playlist(f"#EXTM3U\n#EXTINF:1,\n{line}\n", "http://a/")
    with pytest.raises(MalformedError):
        hls.best_variant(f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH={'9' * 5_000}\n{line}\n", "http://a/")


@pytest.mark.parametrize(
    "split", [packetizer.split_annex_b, lambda data: packetizer.split_lengths(data, 4)], ids=["start codes", "lengths"]
)
def test_a_hostile_picture_of_tiny_units_is_a_flood(split: Callable[[bytes], list[bytes]]) -> None:
    """Eight cameras share the process that unpacks them."""
    assert len(split(b"\0\0\0\1\x41" * packetizer.MAX_UNITS)) == packetizer.MAX_UNITS
    with pytest.raises(PeerError) as flood:
        split(b"\0\0\0\1\x41" * (packetizer.MAX_UNITS + 1))
    assert flood.value.cause is Cause.FLOOD


async def test_what_a_hostile_camera_is_unpacked_into_is_counted_and_takes_many_iterations() -> None:
    sdp = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:0\r\n"
    tiny = interleave(0, struct.pack(">BBHIIB", 0x80, 96, 0, 0, 7, 0x41))
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    _, end = await loop.create_unix_connection(_Unpacked, sock=ours)
    _, writer = await asyncio.open_unix_connection(sock=theirs)
    writer.write(Request("ANNOUNCE", "*", Headers(), sdp).encode())
    await end.announced
    assert end.fanout is not None
    iterations, frames = IterationCounter(), Counter[int]()

    def count(batch: MediaBatch) -> None:
        frames[iterations.number] += batch.count

    end.fanout.tap = count
    writer.write(tiny * 60_000)
    await eventually(end.gone.done, within_s=20)
    iterations.stop()
    assert end.error is not None
    assert end.error.cause is Cause.FLOOD
    assert max(frames.values()) <= AT_MOST
    writer.transport.abort()


def address(url: str) -> Address:
    return Address(url, None, LOOPBACK, TlsPolicy(), deadline_s=5.0, silence_s=5.0)

"""HLS playlists: what is live, and what is refused."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from forwarder.relay.sources.hls import best_variant, feed_hls, open_playlist, parse_playlist
from forwarder.relay.sources.inputs import Address
from vonggac.events import Cause
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.tls import TlsPolicy

URL = "http://camera.example/hls/live.m3u8"


@pytest.fixture(autouse=True)
def _playlists_are_read_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forwarder.relay.sources.hls._FIRST_WAIT_S", 0.05)


def test_segments_are_numbered_and_resolved_against_the_playlist() -> None:
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:70\n#EXTINF:4.0,\na.ts\n#EXTINF:3.9,\n/b.ts?x=1\n"
    playlist = parse_playlist(text, URL)
    assert [(segment.number, segment.url) for segment in playlist.segments] == [
        (70, "http://camera.example/hls/a.ts"),
        (71, "http://camera.example/b.ts?x=1"),
    ]
    assert (playlist.target_s, playlist.ended) == (4.0, False)


def test_the_variant_with_the_highest_bandwidth_is_taken() -> None:
    text = (
        '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100\nlow.m3u8\n#EXT-X-STREAM-INF:CODECS="a,b",BANDWIDTH=900\nhigh.m3u8\n'
    )
    assert best_variant(text, URL) == "http://camera.example/hls/high.m3u8"
    assert best_variant("#EXTM3U\n#EXTINF:4,\na.ts\n", URL) is None


@pytest.mark.parametrize(
    ("codecs", "taken"),
    [
        (("avc1.64001f,mp4a.40.2", "av01.0.08M.08"), 0),
        (("hvc1.1.6.L93.B0", "vp09.00.10.08,mp4a.40.2"), 0),
        (("avc1.64001f", "hev1.1.6.L93.B0"), 1),
        (("avc1.64001f", "mp4a.40.2"), 0),
        (("av01.0.08M.08", "vp09.00.10.08"), 1),
    ],
)
def test_of_foreign_variants_one_that_can_be_forwarded_is_taken(codecs: tuple[str, str], taken: int) -> None:
    lines = [f'#EXT-X-STREAM-INF:BANDWIDTH={100 + at},CODECS="{name}"\n{at}.m3u8' for at, name in enumerate(codecs)]
    assert best_variant("\n".join(("#EXTM3U", *lines)), URL) == f"http://camera.example/hls/{taken}.m3u8"


@pytest.mark.parametrize("line", ['#EXT-X-KEY:METHOD=AES-128,URI="k"', "#EXT-X-BYTERANGE:100@0"])
def test_what_is_not_supported_is_named(line: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_playlist(f"#EXTM3U\n{line}\n#EXTINF:4,\na.ts\n", URL)
    assert caught.value.cause is Cause.CODEC_UNSUPPORTED
    assert line[1:8] in caught.value.message


@pytest.mark.parametrize("text", ["", "<html>", "#EXTM3U\n#EXTINF:x,\na.ts\n", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-1\n"])
def test_what_is_no_playlist_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_playlist(text, URL)


NOT_YET = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nhls/playlist.m3u8?id=1"


def ok(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def media(first: int) -> bytes:
    lines = [f"#EXTINF:0.5,\nsegment.ts?n={number}" for number in (first, first + 1)]
    return ok(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n" + "\n".join(lines))


class Server:
    """Answers each path from its list, the last answer again and again."""

    def __init__(self, **answers: list[bytes]) -> None:
        self.answers, self.asked = answers, list[str]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self.asked.append(path)
        left = self.answers["segment" if "segment" in path else "playlist" if "playlist" in path else "stream"]
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        writer.close()

    @asynccontextmanager
    async def at(self, *, deadline_s: float = 4.0) -> AsyncIterator[Address]:
        async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            loopback = AllowedNetworks.parse(["127.0.0.0/8"])
            url = f"http://127.0.0.1:{port}/api/stream.m3u8?src=gate"
            yield Address(url, None, loopback, TlsPolicy(), deadline_s=deadline_s, silence_s=4.0)


class Sink:
    """Keeps what is written, and sets `enough` with the second piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.enough = asyncio.Event()
        self.waiting_bytes = 0

    def write(self, data: bytes) -> None:
        self.pieces.append(data)
        if len(self.pieces) == 2:
            self.enough.set()

    async def room(self) -> None:
        return


async def test_a_foreign_server_that_begins_a_stream_when_it_is_asked_for_is_waited_for() -> None:
    server = Server(stream=[NOT_YET, ok(""), ok(MASTER)], playlist=[NOT_YET, ok("#EXTM3U\n"), media(0)])
    async with server.at(deadline_s=8.0) as address:
        url, playlist = await open_playlist(address)
    assert url.endswith("hls/playlist.m3u8?id=1")
    assert [segment.number for segment in playlist.segments] == [0, 1]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (NOT_YET, Cause.NOT_FOUND),
        (ok(""), Cause.NO_MEDIA),
        (ok("#EXTM3U\n"), Cause.NO_MEDIA),
        (ok("<html>"), Cause.PROTOCOL_ERROR),
    ],
)
async def test_a_foreign_server_that_has_no_stream_has_the_right_cause(answer: bytes, cause: Cause) -> None:
    async with Server(stream=[answer]).at(deadline_s=0.2) as address:
        with pytest.raises(PeerError) as caught:
            await open_playlist(address)
    assert caught.value.cause is cause


async def test_a_foreign_playlist_of_segments_that_are_nowhere_says_so() -> None:
    server, sink = Server(playlist=[media(0)], segment=[NOT_YET]), Sink()
    async with server.at() as address:
        address = replace(address, silence_s=0.5)
        url = f"{address.url.partition('?')[0]}/playlist.m3u8"
        playlist = parse_playlist(media(0).decode().partition("\r\n\r\n")[2], url)
        with pytest.raises(PeerError, match="lists segments that are answered 404") as caught:
            await feed_hls(address, sink, (url, playlist))
    assert caught.value.cause is Cause.NOT_FOUND


@pytest.mark.parametrize("answer", [NOT_YET, FORBIDDEN], ids=["not found", "forbidden"])
async def test_a_foreign_segment_that_is_not_there_yet_ends_nothing(answer: bytes) -> None:
    # Of what is not there some stores answer 403, so that nobody learns what there is.
    server, sink = Server(playlist=[media(0)], segment=[answer, ok("one"), ok("two")]), Sink()
    async with server.at() as address:
        url = f"{address.url.partition('?')[0]}/playlist.m3u8"
        playlist = parse_playlist(media(0).decode().partition("\r\n\r\n")[2], url)
        feeding = asyncio.create_task(feed_hls(address, sink, (url, playlist)))
        async with asyncio.timeout(5):
            await sink.enough.wait()
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    assert sink.pieces == [b"one", b"two"]


@pytest.mark.parametrize(
    ("cut", "beginning"), [("#EXT-X-DISCONTINUITY", "one"), ('#EXT-X-MAP:URI="segment.mp4?two"', "two")]
)
async def test_a_foreign_stream_that_was_just_begun_anew_is_begun_with_its_new_part(cut: str, beginning: str) -> None:
    lines = ('#EXT-X-MAP:URI="segment.mp4?one"', "#EXTINF:4,", "segment.ts?old", cut, "#EXTINF:4,", "segment.ts?new")
    text = "\n".join(("#EXTM3U", *lines))
    server, sink = Server(stream=[ok(text)], segment=[ok("media")]), Sink()
    async with server.at() as address:
        feeding = asyncio.create_task(feed_hls(address, sink, (address.url, parse_playlist(text, address.url))))
        async with asyncio.timeout(5):
            await sink.enough.wait()
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    assert server.asked[:2] == [f"/api/segment.mp4?{beginning}", "/api/segment.ts?new"]


async def test_a_foreign_server_that_resets_the_connection_amid_its_playlist_is_no_mistake_of_ours() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n#EXTM3U\n")
        await writer.drain()
        await asked_on.wait()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    asked_on = asyncio.Event()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/live.m3u8"
        loopback = AllowedNetworks.parse(["127.0.0.0/8"])
        address = Address(url, None, loopback, TlsPolicy(), deadline_s=4.0, silence_s=4.0)
        opening = asyncio.create_task(open_playlist(address))
        asyncio.get_running_loop().call_later(0.1, asked_on.set)
        with pytest.raises(PeerError) as caught:
            await opening
    assert caught.value.cause is Cause.ENDED


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("segment cổng 1.ts", "/api/segment%20c%E1%BB%95ng%201.ts"),
        ("segment%20c%E1%BB%95ng.ts?a=b", "/api/segment%20c%E1%BB%95ng.ts?a=b"),
    ],
)
async def test_a_foreign_segment_is_asked_for_by_its_name_whatever_letters_it_has(name: str, target: str) -> None:
    text = f"#EXTM3U\n#EXTINF:4,\n{name}\n#EXTINF:4,\n{name}\n"
    server, sink = Server(segment=[ok("media")]), Sink()
    async with server.at() as address:
        feeding = asyncio.create_task(feed_hls(address, sink, (address.url, parse_playlist(text, address.url))))
        async with asyncio.timeout(5):
            await asyncio.wait({feeding, asyncio.ensure_future(sink.enough.wait())}, return_when="FIRST_COMPLETED")
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    assert server.asked[:1] == [target]


async def test_a_foreign_playlist_whose_address_has_expired_is_asked_for_anew_and_rests_for_no_login() -> None:
    server, sink = Server(playlist=[FORBIDDEN], segment=[ok("media")]), Sink()
    async with server.at() as address:
        url = f"{address.url.partition('?')[0]}/playlist.m3u8?token=1"
        with pytest.raises(PeerError) as caught:
            await feed_hls(address, sink, (url, parse_playlist(media(0).decode().partition("\r\n\r\n")[2], url)))
    assert caught.value.cause is Cause.ENDED
    assert sink.pieces == [b"media", b"media"]

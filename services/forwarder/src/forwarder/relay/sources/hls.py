"""HTTP Live Streaming (RFC 8216): the newest segments of a live playlist, one after the other."""

import asyncio
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from forwarder.relay.sources.http import join
from forwarder.relay.sources.inputs import Address, Sink
from vonggac.events.causes import Cause
from vonggac.net.errors import MalformedError, PeerError, StatusError
from vonggac.rtsp.wire.rates import PeerRates

MAX_PLAYLIST_BYTES = 256 << 10
MAX_LINES = 8_000
"""Reading them takes the event loop ten milliseconds."""
MAX_SEGMENTS = 100
"""The newest are kept, an address each: 25 microseconds."""
MAX_SEGMENT_BYTES = 64 << 20
BEGIN_BEFORE_END = 2
"""Segments from the live end that are begun with: fewer stall when the server is late, more are old."""
_ATTRIBUTE = re.compile(r'(?<![A-Z0-9-])([A-Z0-9-]+)=("[^"]*"|[^,]*)')
"""A name begins where none goes on: else a long one without `=` would be read from each of its letters."""
_FORBIDDEN = 403
"""Also of what is not there: some stores say to nobody what there is."""
_NOT_FORWARDED = ("av01", "vp8", "vp08", "vp9", "vp09", "vvc1", "vvi1", "mp4v", "mp4a", "ac-3", "ec-3", "opus", "flac")
"""How names of codecs begin (RFC 6381) that are no video which can be forwarded."""
_BANDWIDTH = re.compile(r"[0-9]{1,15}")
_FIRST_WAIT_S = 0.5
STARTS_SHARE = 0.5
"""Of the deadline, for the server to begin the stream."""
_STARTING = frozenset({Cause.NOT_FOUND, Cause.NO_MEDIA, Cause.SESSION_LIMIT})
"""What a server answers that has no playlist yet: 404, nothing, 503."""


@dataclass(frozen=True, slots=True)
class Segment:
    """`number`: its media sequence number. `initialisation`: where a fragmented MP4's beginning is, or ""."""

    number: int
    url: str
    duration_s: float
    discontinuous: bool = False
    initialisation: str = ""


@dataclass(frozen=True, slots=True)
class Playlist:
    """A media playlist. `ended`: nothing will be added."""

    target_s: float
    segments: tuple[Segment, ...]
    ended: bool


def best_variant(text: str, url: str) -> str | None:
    """Find the address of the master playlist's variant with the highest bandwidth; None when it is none (§4.3.4).

    Of those that may hold video which can be forwarded, where there are such. Raises MalformedError.
    """
    found: list[tuple[tuple[bool, int], str]] = []
    rank: tuple[bool, int] | None = None
    for line in _lines(text):
        if line.startswith("#EXT-X-STREAM-INF:"):
            attributes = _attributes(line)
            value, codecs = attributes.get("BANDWIDTH", "0"), attributes.get("CODECS", "")
            usable = not all(name.strip().lower().startswith(_NOT_FORWARDED) for name in codecs.split(","))
            rank = usable, int(value) if _BANDWIDTH.fullmatch(value) else 0
        elif rank is not None and not line.startswith("#"):
            found.append((rank, line))
            rank = None
    return join(url, max(found, key=lambda pair: pair[0])[1]) if found else None


def parse_playlist(text: str, url: str) -> Playlist:
    """Parse a media playlist, its newest MAX_SEGMENTS.

    Raises MalformedError when it is none, PeerError codec_unsupported when it is encrypted or cut by byte ranges.
    """
    lines = list(_lines(text))
    if not lines or lines[0] != "#EXTM3U":
        raise MalformedError("the playlist does not begin with #EXTM3U")
    target_s, number, duration_s, cut, initialisation = 6.0, 0, 0.0, False, ""
    segments: deque[tuple[int, str, float, bool, str]] = deque(maxlen=MAX_SEGMENTS)
    count = 0
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name == "#EXT-X-TARGETDURATION":
            target_s = min(60.0, max(0.5, _number(value)))
        elif name == "#EXT-X-MEDIA-SEQUENCE":
            number = int(_number(value))
        elif name == "#EXTINF":
            duration_s = _number(value.partition(",")[0])
        elif name == "#EXT-X-DISCONTINUITY":
            cut = True
        elif name == "#EXT-X-MAP":
            initialisation = _attributes(line).get("URI", "")
        elif name == "#EXT-X-BYTERANGE" or (name == "#EXT-X-KEY" and _attributes(line).get("METHOD") != "NONE"):
            raise PeerError(Cause.CODEC_UNSUPPORTED, f"the playlist has {name[1:]}, which is not supported")
        elif not line.startswith("#"):
            segments.append((count, line, duration_s, cut, initialisation))
            count, cut = count + 1, False
    made = (
        Segment(number + at, join(url, uri), duration_s, cut, join(url, beginning) if beginning else "")
        for at, uri, duration_s, cut, beginning in segments
    )
    return Playlist(target_s, tuple(made), "#EXT-X-ENDLIST" in lines)


async def open_playlist(address: Address) -> tuple[str, Playlist]:
    """Open the media playlist behind an address, and return where it is, too. Raises PeerError.

    Servers that begin a stream when it is asked for have no playlist at first: none, an empty one, or one without
    segments. So it is asked for until there is one, for a part of the deadline.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + STARTS_SHARE * address.deadline_s
    while True:
        try:
            url, playlist = await _open_playlist(address)
        except PeerError as error:
            if error.cause not in _STARTING or loop.time() >= ends_at:
                raise
        else:
            if playlist.segments or playlist.ended:
                return url, playlist
            if loop.time() >= ends_at:
                raise PeerError(Cause.NO_MEDIA, "the playlist lists no segment")
        await asyncio.sleep(_FIRST_WAIT_S)


async def _open_playlist(address: Address) -> tuple[str, Playlist]:
    text, url = await _fetch_text(address, address.url)
    variant = best_variant(text, url)
    if variant is not None:
        text, url = await _fetch_text(address, variant)
    if not text.strip():
        raise PeerError(Cause.NO_MEDIA, "the server has an empty playlist: it has no stream there yet")
    return url, parse_playlist(text, url)


async def feed_hls(address: Address, sink: Sink, opened: tuple[str, Playlist]) -> None:
    """Segments as they appear, live only: what fell behind is skipped. Raises PeerError when it ends."""
    url, playlist = opened
    loop = asyncio.get_running_loop()
    newest_s = loop.time()
    missing: StatusError | None = None
    following = _begin_with(playlist.segments)
    initialised: str | None = None
    rates = PeerRates(loop.time)
    while True:
        for segment in playlist.segments:
            if segment.number < following:
                continue
            if initialised is not None and (segment.discontinuous or segment.initialisation != initialised):
                raise PeerError(Cause.ENDED, "the stream was begun anew")
            # Empty segments would be fetched as fast as they are listed.
            rates.count_message("segments")
            try:
                if initialised is None and segment.initialisation:
                    await _feed_one(address, sink, segment.initialisation)
                initialised = segment.initialisation
                await _feed_one(address, sink, segment.url)
            except StatusError as error:
                if error.cause is not Cause.NOT_FOUND and error.status != _FORBIDDEN:
                    raise
                # Not there any more, or not yet: the next playlist says where to go on.
                missing = error
                break
            following, newest_s, missing = segment.number + 1, loop.time(), None
        else:
            if playlist.ended:
                raise PeerError(Cause.ENDED, "the playlist has ended")
        if loop.time() - newest_s > max(address.silence_s, 3 * playlist.target_s):
            if missing is not None:
                raise PeerError(Cause.NOT_FOUND, f"the playlist lists segments that are answered {missing.status}")
            raise PeerError(Cause.STALLED, "the playlist has no new segment")
        await asyncio.sleep(max(_FIRST_WAIT_S, playlist.target_s / 4))
        text, url = await _fetch_next(address, url)
        playlist = parse_playlist(text, url)
        if playlist.segments and playlist.segments[-1].number < following - 1:
            raise PeerError(Cause.ENDED, "the playlist was begun anew")


def _begin_with(segments: tuple[Segment, ...]) -> int:
    """Find the number of the first of the newest segments that is of the stream that goes on."""
    newest = segments[-BEGIN_BEFORE_END:]
    begun = [
        now for before, now in pairwise(newest) if now.discontinuous or now.initialisation != before.initialisation
    ]
    return (begun[-1:] or newest)[0].number if newest else 0


async def _feed_one(address: Address, sink: Sink, url: str) -> None:
    taken = 0
    async with address.web.get(url, deadline_s=address.deadline_s) as body:
        async for piece in body.pieces(silence_s=address.silence_s):
            taken += len(piece)
            if taken > MAX_SEGMENT_BYTES:
                raise MalformedError(f"a segment is longer than {MAX_SEGMENT_BYTES} bytes")
            sink.write(piece)
            await sink.room()


async def _fetch_next(address: Address, url: str) -> tuple[str, str]:
    """As `_fetch_text`, of a playlist that was given before."""
    try:
        return await _fetch_text(address, url)
    except StatusError as error:
        if error.status != _FORBIDDEN:
            raise
        # No login was refused: addresses in a playlist hold for a time, and the camera's own leads to new ones.
        raise PeerError(Cause.ENDED, "the server gives the playlist no more (403)") from None


async def _fetch_text(address: Address, url: str) -> tuple[str, str]:
    async with address.web.get(url, deadline_s=address.deadline_s) as body:
        data = await body.whole(at_most=MAX_PLAYLIST_BYTES, silence_s=address.silence_s)
    return data.decode("utf-8", "replace"), body.url


def _lines(text: str) -> Iterator[str]:
    """Split the text into lines, without the empty ones. Raises MalformedError when there are too many."""
    lines = text.lstrip("\ufeff").splitlines()
    if len(lines) > MAX_LINES:
        raise MalformedError(f"the playlist has more than {MAX_LINES} lines")
    return (line for raw in lines if (line := raw.strip()))


def _attributes(line: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}


def _number(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]*)?", text.strip()):
        raise MalformedError("the playlist holds a number that is none")
    return float(text)

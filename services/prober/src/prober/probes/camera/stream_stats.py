"""What arrives on a camera's video channel: the first whole keyframe, and the stream's figures.

Timed by the stream's own RTP clock, so that a burst at the start or a slow network does not bend the figures.
"""

import asyncio
import struct
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise

from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec, begins_picture, is_keyframe_slice, keyframe_hash, nal_units
from vonggac.media.keyframes import KeyframeDetector, Mark
from vonggac.media.picture_order import Unevenness, shown_in_a_row
from vonggac.media.rtcp import Goodbye, parse_rtcp
from vonggac.media.rtp import SequenceTracker, parse_rtp
from vonggac.media.sender_clock import CameraClock
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch

MAX_FRAMES = 4096
"""Frames measured at most in one probe: a camera that stamps every packet anew cannot fill the memory."""
LONGEST_STORED_S = 300.0
"""Of stream that a device has kept and hands out at once; stamps that lie further apart say nothing of the time."""
LEAP_S = 1.0
"""So much further than the time that passed a picture may be stamped, or before the one that came before it: pictures
are shown in another order than they are sent in, and a burst brings stored ones."""
LEAP_GAPS = 17
"""A camera that sends seldom stamps all its pictures far apart, and a decoder keeps up to 16 for those that are shown
before them: a leap is further than that."""
TIMED_PICTURES = 15
"""Enough for the jitter."""
_RTP_HEADER = 12
_SSRC_AT = FRAME_HEADER_BYTES + 8
_SHORTEST = FRAME_HEADER_BYTES + _RTP_HEADER
"""Of an interleaved frame with an RTP packet, and the place of the payload in a plain one."""
_unpack_header = struct.Struct(">xBH").unpack_from
_unpack_packet = struct.Struct(">xBHBBHI").unpack_from
_PLAIN = 0x80
"""The first byte of an RTP packet of version 2 without padding, extension and CSRC: nearly all are so."""
_MARKER = 0x80


class VideoWatch:
    """Fed with interleaved batches by the connection; never raises.

    `keyframe_begun` is done when the header of the first keyframe came, `keyframe_marked` with the first marker that
    may end one, `keyframe` with the first whole one,
    `second_keyframe` when the next one begins: then one whole group of pictures was measured, and `second_whole` with
    the next whole one, where the first one `came_again`. `timed` is done when the arrival of TIMED_PICTURES was timed:
    what comes after may come in larger pieces, for it is not timed.
    """

    def __init__(
        self,
        *,
        codec: VideoCodec,
        clock_rate: int,
        channel: int,
        rtcp_channel: int,
        clock: Callable[[], float],
        wall_clock: Callable[[], float] = time.time,
        known: bytes | None = None,
    ) -> None:
        """`clock_rate`: Hz of the RTP clock; `clock`: monotonic seconds; `wall_clock`: seconds since 1970.

        `known`: what the hash of the keyframe begins with that the probe before had.
        """
        loop = asyncio.get_running_loop()
        self.keyframe_begun: asyncio.Future[None] = loop.create_future()
        self.codec = codec
        self.keyframe: asyncio.Future[AccessUnit] = loop.create_future()
        self.keyframe_marked: asyncio.Future[None] = loop.create_future()
        self.second_keyframe: asyncio.Future[None] = loop.create_future()
        self.second_whole: asyncio.Future[AccessUnit] = loop.create_future()
        self.timed: asyncio.Future[None] = loop.create_future()
        self.first_packet_at: float | None = None
        self.keyframe_at: float | None = None
        """When the header of the first keyframe came; monotonic, like `first_packet_at`."""
        self.malformed = 0
        self.payload_type: int | None = None
        """Of the first packet."""
        self.said_goodbye = False
        """The camera ended the stream (RTCP BYE), and no picture began after that."""
        self._clock_rate, self._channel, self._clock = clock_rate, channel, clock
        self._rtcp_channel = rtcp_channel
        self.camera_clock = CameraClock(wall_clock)
        """As far as sender reports state it."""
        self._unevenness = Unevenness(clock_rate)
        self._depacketizer = Depacketizer(codec, believes_markers=False)
        self._detector = KeyframeDetector(codec)
        self._sequence = SequenceTracker(brief=True)
        self._source = b""
        self._before = (0, 0)
        self._following: int | None = None
        self._collecting = False
        self._known = known
        self.came_again = False
        """Whether the first keyframe is the `known` one, bit for bit."""
        self._undecided = False
        self._judged = self._fitting = self._spoilt = 0
        """Pictures that might have been a keyframe; of them those that begin with a slice of the codec, and the
        keyframes that lack their beginning."""
        self._first_timestamp = 0
        self._picture_at, self._leap_s = 0.0, 0.0
        self._timestamp: int | None = None
        self._size = 0
        self._frame_bytes: dict[int, int] = {}
        self._group: list[int] = []

    @property
    def packets(self) -> int:
        return self._before[0] + self._sequence.received

    @property
    def packets_lost(self) -> int:
        return self._before[1] + self._sequence.lost

    @property
    def units_dropped(self) -> int:
        """Keyframes that were not whole."""
        return self._depacketizer.dropped + self._spoilt

    @property
    def pictures(self) -> int:
        """Pictures that began, the last one included, whole or not."""
        return len(self._begun())

    @property
    def fits_codec(self) -> bool:
        """Whether at least half of what came before the first keyframe begins as pictures of the codec do."""
        return self._fitting > 0 and 2 * self._fitting >= self._judged

    def jitter_ms(self) -> float | None:
        """Unevenness of the pictures' arrival; None with too few of them."""
        return self._unevenness.jitter_ms()

    def feed(self, batch: MediaBatch) -> None:
        """Take whole interleaved frames; channels other than the video's and its RTCP are passed over."""
        data, mine, reports, unpack = batch.data, self._channel, self._rtcp_channel, _unpack_packet
        following, run, end, size = self._following, 0, 0, len(batch.data)
        current = None if self._undecided or self._collecting else self._timestamp
        # The frames are walked over here: a list of them, as `batch.frames` makes it, costs as much as all the rest.
        while end < size:
            start = end
            if start + _SHORTEST > size:
                channel, length = _unpack_header(data, start)
                first = second = sequence = timestamp = 0
            else:
                channel, length, first, second, sequence, timestamp = unpack(data, start)
            end = start + FRAME_HEADER_BYTES + length
            if (
                timestamp == current
                and sequence == following
                and channel == mine
                and first == _PLAIN
                and length >= _RTP_HEADER
            ):
                # Most packets: one more of a picture that is only counted.
                run += 1
                following = (sequence + 1) & 0xFFFF
                self._size += length - _RTP_HEADER
                continue
            if channel != mine:
                if channel == reports:
                    self._report(data[start + FRAME_HEADER_BYTES : end])
                continue
            if length < _RTP_HEADER:
                self.malformed += 1
                continue
            payload, stop = start + _SHORTEST, end
            if first != _PLAIN:
                try:
                    header = parse_rtp(data, start + FRAME_HEADER_BYTES, end)
                except MalformedError:
                    self.malformed += 1
                    continue
                payload, stop = header.payload_start, header.payload_end
            if sequence == following:
                run += 1
                following = (sequence + 1) & 0xFFFF
            else:
                self._sequence.advance(run)
                source = data[start + _SSRC_AT : start + _SHORTEST]
                if source != self._source:
                    # Another SSRC: its numbers are its own (RFC 3550 §5.1).
                    self._before = (self.packets, self.packets_lost)
                    self._source, self._sequence = source, SequenceTracker(brief=True)
                self._sequence.update(sequence)
                run, following = 0, (self._sequence.highest + 1) & 0xFFFF
            self._take(data, payload, stop, sequence, timestamp, second)
            current = None if self._undecided or self._collecting else timestamp
        self._sequence.advance(run)
        self._following = following

    def _take(self, data: bytes, payload: int, stop: int, sequence: int, timestamp: int, second: int) -> None:
        """Count a packet of the video whose payload is `data[payload:stop]`; `second`: byte of its header."""
        if timestamp != self._timestamp:
            self._next_frame(timestamp, sequence, payload_type=second & ~_MARKER)
        self._size += stop - payload
        if self._undecided:
            self._decide(memoryview(data)[payload:stop], sequence, timestamp, marker=second >= _MARKER)
        if self._collecting:
            self._collect(memoryview(data)[payload:stop], sequence, timestamp, marker=second >= _MARKER)

    def usual_picture_bytes(self) -> int:
        """Median of the RTP payload of a picture; 0 before the second picture."""
        sizes = sorted(self._frame_bytes.values())
        return sizes[len(sizes) // 2] if sizes else 0

    def fps(self) -> float | None:
        """Pictures a second; None with fewer than two pictures or a clock that stands still.

        Counted in the order in which they are shown, and only where none of them is missing.
        """
        begun = [] if self.clock_jumped() else self._begun()
        keyframe = begun.index(self._group[0]) if self._group and self._group[0] in begun else None
        shown = shown_in_a_row(begun, keyframe)
        if len(shown) < 2 or shown[0] == shown[-1]:
            return None
        return round((len(shown) - 1) * self._clock_rate / (shown[-1] - shown[0]), 2)

    def gop_s(self) -> float | None:
        """From one keyframe to the next; None when no second one began, or the clock jumped."""
        if len(self._group) < 2 or self.clock_jumped():
            return None
        length_s = (self._group[1] - self._group[0]) / self._clock_rate
        return round(length_s, 3) if length_s > 0 else None

    def bitrate_kbps(self) -> float | None:
        """RTP payload over one whole group of pictures if there was one, else over all that was seen.

        A group is what was sent from one keyframe to the next: as much as what is shown between them.
        """
        if self.gop_s() is not None:
            first, last = self._group[0], self._group[1]
            sent = list(self._frame_bytes)
            received = sum(self._frame_bytes[at] for at in sent[_index(sent, first) : _index(sent, last)])
        elif self.span_s():
            first, last = min(self._begun()), max(self._begun())
            received = sum(size for at, size in self._frame_bytes.items() if first <= at < last)
        else:
            return None
        return round(received * 8 / 1000 / ((last - first) / self._clock_rate), 1)

    def span_s(self) -> float:
        """From the first to the last picture that began, on the stream's clock; 0.0 when there is no such span."""
        return 0.0 if self.clock_jumped() else _span(self._begun()) / self._clock_rate

    def clock_jumped(self) -> bool:
        """Whether pictures are stamped further apart than they can be: recorders stamp single ones hours off, and
        cameras set their clock."""
        real_s = self._clock() - self.first_packet_at if self.first_packet_at is not None else 0.0
        if _span(self._begun()) / self._clock_rate > real_s + LONGEST_STORED_S:
            return True
        return self._leap_s > LEAP_GAPS * _usual_gap(self._begun()) / self._clock_rate

    def _begun(self) -> list[int]:
        """Timestamps of all pictures as they were sent; the last one is not closed, and may have been seen before."""
        full = self._timestamp is None or len(self._frame_bytes) >= MAX_FRAMES
        last = () if full or self._timestamp is None else (self._relative(self._timestamp),)
        return list(dict.fromkeys((*self._frame_bytes, *last)))

    def _report(self, packet: bytes) -> None:
        with suppress(MalformedError):
            reports = parse_rtcp(packet)
            self.camera_clock.read_reports(reports)
            ssrcs = {ssrc for report in reports if isinstance(report, Goodbye) for ssrc in report.ssrcs}
            self.said_goodbye |= bool(ssrcs) and (not self._source or int.from_bytes(self._source) in ssrcs)

    def _next_frame(self, timestamp: int, sequence: int, *, payload_type: int) -> None:
        now = self._clock()
        if self._timestamp is None:
            self.payload_type = payload_type
            self.first_packet_at = now
            self._first_timestamp = timestamp
        else:
            step_s = (self._relative(timestamp) - self._relative(self._timestamp)) / self._clock_rate
            if not -LEAP_S <= step_s <= now - self._picture_at + LEAP_S:
                self._leap_s = max(self._leap_s, abs(step_s))
        self._picture_at = now
        self._close_frame()
        if self._depacketizer.ends_before(sequence):
            # Else its last packets are missing: it is no keyframe, and not another one than before either.
            self.end_picture()
        self._timestamp = timestamp
        self.said_goodbye = False
        if not self.timed.done():
            self._unevenness.update(self._relative(timestamp), now)
            if self._unevenness.pictures >= TIMED_PICTURES:
                self.timed.set_result(None)
        self._undecided = not (self._collecting or self.second_keyframe.done())

    def _decide(self, payload: memoryview, sequence: int, timestamp: int, *, marker: bool) -> None:
        """Whether a keyframe has begun: only a picture's first slice says, and what comes before is kept for it."""
        mark = self._detector.push(payload, timestamp=timestamp, marker=marker)
        if mark is Mark.LEAD:
            if not self.keyframe.done():
                self._collect(payload, sequence, timestamp, marker=marker)
            return
        self._undecided = False
        self._judged += 1
        self._fitting += begins_picture(self.codec, payload)
        if mark is Mark.OTHER:
            joined = timestamp == self._first_timestamp
            self._spoilt += not joined and any(
                is_keyframe_slice(self.codec, kind) for kind, _, _ in nal_units(self.codec, payload)
            )
            if not self.keyframe.done():
                self._depacketizer.reset()
            return
        if not self.keyframe_begun.done():
            self.keyframe_begun.set_result(None)
            self.keyframe_at = self._clock()
        if not self.keyframe.done():
            # From here on until it is whole; what comes before a keyframe is only counted.
            self._collecting = True
            return
        assert self._timestamp is not None, "a frame has begun"
        at = self._relative(self._timestamp)
        if at > self._group[0]:
            self._group.append(at)
            self.second_keyframe.set_result(None)
            if self.came_again:
                self._depacketizer.reset()
                self._collecting = True

    def _collect(self, payload: memoryview, sequence: int, timestamp: int, *, marker: bool) -> None:
        self._keep(self._depacketizer.push(payload, sequence=sequence, timestamp=timestamp, marker=marker))
        if self._depacketizer.waits_for_proof and not self.keyframe_marked.done():
            self.keyframe_marked.set_result(None)

    def end_picture(self) -> None:
        """Take the keyframe that waits for the packet after it, which shows whether its marker was right, as whole."""
        if self._collecting:
            self._keep(self._depacketizer.end_unit())

    def _keep(self, units: Iterable[AccessUnit]) -> None:
        for unit in units:
            if unit.keyframe and not self.keyframe.done():
                self._group.append(self._relative(unit.rtp_timestamp))
                self._collecting = False
                self.came_again = self._known is not None and keyframe_hash(self.codec, unit.nals).startswith(
                    self._known
                )
                self.keyframe.set_result(unit)
            elif unit.keyframe and self.second_keyframe.done() and not self.second_whole.done():
                self._collecting = False
                self.second_whole.set_result(unit)

    @property
    def goes_on(self) -> bool:
        """Whether the first keyframe came again and another one followed, as of a recording that is begun anew."""
        if not self.second_whole.done():
            return False
        first, second = (keyframe_hash(self.codec, one.result().nals) for one in (self.keyframe, self.second_whole))
        return first != second

    def _close_frame(self) -> None:
        if self._timestamp is None:
            return
        at = self._relative(self._timestamp)
        if at in self._frame_bytes or len(self._frame_bytes) < MAX_FRAMES:
            self._frame_bytes[at] = self._frame_bytes.get(at, 0) + self._size
        self._size = 0

    def _relative(self, timestamp: int) -> int:
        """Ticks since the first packet, over the 32-bit wrap."""
        return (timestamp - self._first_timestamp + 0x80000000) % 0x100000000 - 0x80000000


def _span(begun: list[int]) -> int:
    """Ticks from the first to the last picture that is shown."""
    return max(begun) - min(begun) if begun else 0


def _index(sent: list[int], timestamp: int) -> int:
    """Where a picture was sent that may not be closed yet."""
    return sent.index(timestamp) if timestamp in sent else len(sent)


def _usual_gap(begun: Iterable[int]) -> int:
    """Median of the ticks from one picture to the next."""
    gaps = sorted(later - earlier for earlier, later in pairwise(sorted(begun)))
    return gaps[len(gaps) // 2] if gaps else 0

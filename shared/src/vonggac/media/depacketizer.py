"""RTP payloads back into access units, for both codecs; bounded, and counts what is missing."""

from dataclasses import dataclass

from vonggac.media.h26x import (
    H264_FU_A,
    H264_STAP_A,
    H265_AP,
    H265_FU,
    VideoCodec,
    begins_picture,
    is_keyframe_slice,
    is_slice,
    nal_type,
)
from vonggac.media.marker import MarkerBit
from vonggac.media.rtp import parse_rtp
from vonggac.media.sei import pictures_to_recover

MAX_UNIT_BYTES = 8 * 1024 * 1024
MAX_UNIT_NALS = 1024

_START_CODE = b"\x00\x00\x01"
# No packet types of RFC 6184 (table 1) and RFC 7798 (§4.4: 51 to 63 are reserved): makers' own.
_H264_RESERVED = frozenset({30, 31})
_H265_RESERVED = frozenset(range(51, 64))


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One whole picture; `nals` without start codes, in order.

    `keyframe`: a decoder can begin with it. `recovers_in`: the picture is whole after so many more pictures; above 0
    only where the camera refreshes its picture bit by bit (intra refresh).
    """

    rtp_timestamp: int
    nals: list[bytes]
    keyframe: bool
    recovers_in: int = 0


class Depacketizer:
    """Collects access units. A unit with a missing packet, a broken payload or too many bytes is dropped."""

    def __init__(
        self,
        codec: VideoCodec,
        *,
        max_unit_bytes: int = MAX_UNIT_BYTES,
        max_unit_nals: int = MAX_UNIT_NALS,
        believes_markers: bool = True,
    ) -> None:
        """`believes_markers`: from the first one on; else a unit waits for the packet that shows its marker right."""
        self._codec = codec
        self._marker = MarkerBit(codec, believed=believes_markers)
        self._max_bytes = max_unit_bytes
        self._max_nals = max_unit_nals
        self._next_sequence: int | None = None
        self._timestamp: int | None = None
        self._nals: list[bytes] = []
        self._fragment: list[bytes] | None = None
        self._bytes = 0
        self._damaged = False
        self.dropped = 0
        """Access units dropped because they were not whole."""
        self.missing = 0
        """Packets missing by sequence number."""

    def push_packet(self, packet: bytes | memoryview) -> list[AccessUnit]:
        """Add a whole RTP packet. Raises MalformedError when it is none."""
        header = parse_rtp(packet)
        return self.push(
            packet[header.payload_start : header.payload_end],
            sequence=header.sequence,
            timestamp=header.timestamp,
            marker=header.marker,
        )

    def push(self, payload: bytes | memoryview, *, sequence: int, timestamp: int, marker: bool) -> list[AccessUnit]:
        """Add one RTP payload; returns the units that it completes: none, one, or two.

        A unit ends with the marker bit where that is right (`MarkerBit`), else when the timestamp changes.
        """
        units: list[AccessUnit] = []
        gap = self._gap(sequence)
        if gap is None:
            return units
        marked = self._marker.is_open
        goes_on = self._marker.goes_on_with(payload, timestamp)
        if self._timestamp is not None and timestamp != self._timestamp:
            # The gap may contain the end of the open unit.
            self._damaged |= gap and not marked
            self._finish(units)
        elif self._timestamp is not None and marked and not goes_on:
            # A clock that stands still.
            self._finish(units)
        if self._timestamp is None:
            self._timestamp = timestamp
            if gap:
                # The missing packets may be the picture to which lone parameter sets belong.
                self._nals, self._bytes = [], 0
                self._damaged = not begins_picture(self._codec, payload)
            # What its marker ended too early has gone.
            self._damaged |= goes_on
        elif gap:
            self._damaged = True
        if gap:
            self._fragment = None
        if payload and not self._damaged:
            # A packet of padding alone (a keep-alive, a bandwidth probe) counts, and adds nothing.
            self._add_nal(payload)
        if self._marker.ends_picture(payload, timestamp, marker=marker):
            self._finish(units)
        return units

    @property
    def is_open(self) -> bool:
        """Whether a unit has begun and has not ended."""
        return self._timestamp is not None

    @property
    def waits_for_proof(self) -> bool:
        """Whether the open unit's last packet had a marker, and the next one shows whether that ended it."""
        return self.is_open and self._marker.is_open

    def ends_before(self, sequence: int) -> bool:
        """Whether a packet of another picture with this number shows that nothing is missing of the open unit."""
        return self.is_open and (self._marker.is_open or sequence == self._next_sequence)

    def end_unit(self) -> list[AccessUnit]:
        """End the open unit: what follows is of another one, or nothing follows."""
        units: list[AccessUnit] = []
        if self._timestamp is not None:
            self._finish(units)
        return units

    def reset(self) -> None:
        """Drop the open unit and the position in the stream: the next packet counts as the first one."""
        self._marker.forget_place()
        self._next_sequence = self._timestamp = None
        self._damage()
        self._damaged, self._bytes = False, 0

    def _gap(self, sequence: int) -> bool | None:
        """Whether packets are missing before this one (True also for the very first); None: late or doubled."""
        if self._next_sequence is None:
            self._next_sequence = (sequence + 1) & 0xFFFF
            return True
        ahead = (sequence - self._next_sequence) & 0xFFFF
        if ahead >= 0xFF80:
            return None
        self._next_sequence = (sequence + 1) & 0xFFFF
        if ahead < 0x8000:
            self.missing += ahead
        return ahead != 0

    def _add_nal(self, payload: bytes | memoryview) -> None:
        self._bytes += len(payload)
        if self._bytes > self._max_bytes:
            self._damage()
            return
        kind = nal_type(self._codec, payload)
        h264 = self._codec is VideoCodec.H264
        if kind == (H264_FU_A if h264 else H265_FU):
            self._take_fragment(payload, 1 if h264 else 2)
        elif kind == (H264_STAP_A if h264 else H265_AP):
            self._take_aggregate(bytes(payload), 1 if h264 else 2)
        elif kind in (_H264_RESERVED if h264 else _H265_RESERVED):
            return
        elif len(payload) > (0 if h264 else 1) and not (h264 and kind > H264_STAP_A):
            self._append(bytes(payload))
        else:
            self._damage()

    def _take_fragment(self, payload: bytes | memoryview, head: int) -> None:
        # An FU may be empty after its header (RFC 6184 §5.8): some cameras end a picture with one.
        if len(payload) <= head:
            self._damage()
            return
        flags = payload[head]
        if flags & 0x80:
            if self._fragment is not None:
                # The unit before has no end, though no number is missing: the camera dropped the rest itself.
                self._damage()
                return
            if head == 1:
                first = bytes([payload[0] & 0xE0 | flags & 0x1F])
            else:
                first = bytes([payload[0] & 0x81 | (flags & 0x3F) << 1, payload[1]])
            self._fragment = [first]
        if self._fragment is None:
            self._damage()
            return
        self._fragment.append(bytes(payload[head + 1 :]))
        if flags & 0x40:
            nal = b"".join(self._fragment)
            self._fragment = None
            self._append(nal)

    def _take_aggregate(self, payload: bytes, offset: int) -> None:
        # Damaged by too many units: the rest would be read for nothing, and a packet has room for twenty thousand.
        while offset + 2 <= len(payload) and not self._damaged:
            length = payload[offset] << 8 | payload[offset + 1]
            offset += 2
            if offset + length > len(payload):
                self._damage()
                return
            if length:
                # Zeros after the last unit are padding.
                self._append(payload[offset : offset + length])
            offset += length
        if offset != len(payload):
            # Cut off.
            self._damage()

    def _append(self, nal: bytes) -> None:
        if len(self._nals) >= self._max_nals:
            self._damage()
            return
        # Emulation prevention keeps start codes out of a NAL unit, so one inside means that the camera put a whole
        # Annex B string into its packets.
        if _START_CODE in nal:
            parts = [part.rstrip(b"\0") for part in nal.split(_START_CODE, self._max_nals)]
            self._nals += [part for part in parts if part]
        else:
            self._nals.append(nal)

    def _damage(self) -> None:
        self._damaged = True
        self._nals = []
        self._fragment = None

    def _finish(self, units: list[AccessUnit]) -> None:
        timestamp, nals = self._timestamp, self._nals
        whole = not self._damaged and self._fragment is None
        kinds = [nal_type(self._codec, nal) for nal in nals]
        self._timestamp = None
        self._damaged = False
        self._fragment = None
        if whole and not any(is_slice(self._codec, kind) for kind in kinds):
            # Some cameras end their parameter sets with a marker: they belong to the next picture.
            return
        self._nals = []
        self._bytes = 0
        if whole and timestamp is not None:
            keyframe = any(is_keyframe_slice(self._codec, kind) for kind in kinds)
            recovers_in = None if keyframe else pictures_to_recover(self._codec, nals)
            units.append(AccessUnit(timestamp, nals, keyframe or recovers_in is not None, recovers_in or 0))
        else:
            self.dropped += 1

"""Weighs pictures as they pass, without reading their packets: the cheapest sign that a picture is another one."""

import struct
from collections.abc import Callable

from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch

_unpack = struct.Struct(">xBHxB").unpack_from
"""The channel, the length, and the byte of the packet that holds the marker bit."""
_MARKED_BYTES, _MARKER = 2, 0x80
_SHORTEST = FRAME_HEADER_BYTES + _MARKED_BYTES
"""Of a frame whose packet has that byte."""


class PictureScale:
    """Calls `on_heavy` with the octets of the first whole picture that has `least_octets`, once.

    A picture is the packets of `channel` up to one with the marker bit (RFC 6184 §5.1, RFC 7798 §4.1), frame headers
    included. The picture that is current when it begins lacks its beginning and is left out.
    """

    __slots__ = ("_channel", "_least_octets", "_octets", "_on_heavy", "_whole")

    def __init__(self, channel: int, least_octets: int, on_heavy: Callable[[int], None]) -> None:
        self._channel, self._least_octets, self._on_heavy = channel, least_octets, on_heavy
        self._octets = 0
        self._whole = False

    def add_piece(self, data: bytes, ends: bool | None) -> None:
        """Weigh whole frames and nothing else; `ends` as of `Watch`: most pieces need no walk over their frames."""
        if ends is None:
            self._walk(data)
            return
        octets = self._octets + len(data)
        self._octets = 0 if ends else octets
        if not ends:
            return
        whole, self._whole = self._whole, True
        if whole and octets >= self._least_octets:
            self._on_heavy(octets)

    def add(self, batch: MediaBatch) -> None:
        """Weigh the frames of a batch."""
        self._walk(batch.data)

    def _walk(self, data: bytes) -> None:
        # A list of the frames costs more than all the rest.
        at, size, mine, octets = 0, len(data), self._channel, self._octets
        last = size - _SHORTEST
        while at <= last:
            channel, length, second = _unpack(data, at)
            at += FRAME_HEADER_BYTES + length
            if channel != mine:
                continue
            octets += FRAME_HEADER_BYTES + length
            if second < _MARKER or length < _MARKED_BYTES:
                continue
            whole, weight = self._whole, octets
            octets, self._whole = 0, True
            if whole and weight >= self._least_octets:
                self._octets = 0
                self._on_heavy(weight)
                return
        # A last frame without a marker byte is no packet, and it is weighed all the same.
        self._octets = octets + (size - at if at < size and data[at + 1] == mine else 0)

"""A camera, broken or hostile, that sends tiny things without end beside its media."""

import asyncio
import struct
from types import MappingProxyType

from simulator.packets.frame import Frame
from simulator.packets.giant import giant_keyframe, interleaved, packets_of

TICK_S = 0.01
MAX_WRITE_BUFFER_BYTES = 1 << 20
_AT_ONCE_BYTES = 256 << 10
_SENDER_REPORT = struct.pack(">cBHBBHIQIII", b"$", 1, 28, 0x80, 200, 6, 7, 0, 0, 0, 0)
_FORMS = MappingProxyType(
    {
        "frames": b"$\0\0\0",
        "packets": struct.pack(">cBHBBHII", b"$", 0, 12, 0x80, 96, 0, 0, 7),
        "rtcp": _SENDER_REPORT,
        "options": b"OPTIONS rtsp://a/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "answers": b"RTSP/1.0 200 OK\r\nCSeq: 999\r\n\r\n",
        "lines": b"\r\n",
    }
)


class Flood:
    """Sends one form at `rate_mbps`, as far as the peer reads it, until `stop`."""

    def __init__(self, transport: asyncio.Transport, kind: str, rate_mbps: float) -> None:
        self._transport, self._form, self._bytes_per_s = transport, _FORMS[kind], rate_mbps * 125_000
        self._loop = asyncio.get_running_loop()
        self._sent_until = self._loop.time()
        self._timer = self._loop.call_later(TICK_S, self._send)

    def stop(self) -> None:
        self._timer.cancel()

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        now = self._loop.time()
        due = min(_AT_ONCE_BYTES, int((now - self._sent_until) * self._bytes_per_s))
        self._sent_until = now
        if self._transport.get_write_buffer_size() < MAX_WRITE_BUFFER_BYTES:
            self._transport.write(self._form * (due // len(self._form)))
        self._timer = self._loop.call_later(TICK_S, self._send)


class GiantPicture:
    """A valid H.264 keyframe of `side` x `side` pixels in place of each keyframe, nothing in place of the others."""

    def __init__(self, side: int) -> None:
        self._nals = giant_keyframe(side, side)
        self._sequence: int | None = None

    def next_picture(self, frame: Frame, channel: int) -> bytes:
        """In place of `frame`."""
        if not frame.keyframe:
            return b""
        begin = int.from_bytes(frame.data[6:8]) if self._sequence is None else self._sequence
        self._sequence = (begin + packets_of(self._nals)) & 0xFFFF
        stamp, ssrc = int.from_bytes(frame.data[8:12]), bytes(frame.data[12:16])
        return interleaved(
            self._nals, channel=channel, payload_type=frame.data[5] & 0x7F, ssrc=ssrc, begin=begin, stamp=stamp
        )

"""The camera's sound in FLV's shape: AAC (RFC 3640, mode AAC-hbr) and G.711 (RFC 3551)."""

import binascii
from collections.abc import Iterator

from forwarder.relay.flv import tags as flv
from forwarder.relay.flv.timestamps import MediaClock
from vonggac.media.rtp import parse_rtp
from vonggac.rtsp.wire.tracks import Track

_AAC_SAMPLES = 1024


class Sound:
    """One audio track. `header` is the tag that goes before all others, None where there is none."""

    def __init__(self, track: Track, epoch_s: float, *, tag: int | None, configuration: bytes) -> None:
        self.header = flv.aac_header(configuration) if tag is None else None
        self._tag = tag
        self._rate = track.clock_rate
        self._clock = MediaClock(track.clock_rate, epoch_s)

    def convert_packet(self, data: bytes, start: int, end: int, arrived_s: float) -> Iterator[tuple[int, bytes]]:
        """(milliseconds, tag) of what one RTP packet holds. Raises MalformedError."""
        header = parse_rtp(data, start, end)
        payload = data[header.payload_start : header.payload_end]
        stamp_ms = self._clock.at(header.timestamp, arrived_s)
        if self._tag is not None:
            yield stamp_ms, bytes([self._tag]) + payload
            return
        for number, frame in enumerate(_aac_frames(payload)):
            yield stamp_ms + number * _AAC_SAMPLES * 1000 // self._rate, flv.aac_tag(frame)


def sound_of(track: Track, epoch_s: float) -> Sound | None:
    """None for sound that FLV does not carry, or that is packed in another way: it is left out."""
    if track.codec in flv.G711 and track.clock_rate == 8000:
        return Sound(track, epoch_s, tag=flv.G711[track.codec], configuration=b"")
    fmtp = track.media.fmtp
    if track.codec != "MPEG4-GENERIC" or fmtp.get("mode", "").lower() != "aac-hbr":
        return None
    if (fmtp.get("sizelength"), fmtp.get("indexlength")) != ("13", "3"):
        return None
    try:
        configuration = binascii.unhexlify(fmtp.get("config", ""))
    except (binascii.Error, ValueError):
        return None
    return Sound(track, epoch_s, tag=None, configuration=configuration) if configuration else None


def _aac_frames(payload: bytes) -> Iterator[bytes]:
    """Frames of one packet (RFC 3640 §3.3.6); one that goes over several packets is left out."""
    headers = int.from_bytes(payload[:2]) // 8
    at = 2 + headers
    for offset in range(2, 2 + headers - 1, 2):
        size = int.from_bytes(payload[offset : offset + 2]) >> 3
        if at + size > len(payload):
            return
        yield payload[at : at + size]
        at += size

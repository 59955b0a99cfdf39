"""Receiver reports on interleaved channels: some cameras stop without them (RFC 3550 §6.4.2)."""

import asyncio
import secrets
import struct
from collections.abc import Iterable

from vonggac.media.rtcp import ReceiverReport, ReportBlock, build_receiver_report
from vonggac.media.rtp import interleave
from vonggac.rtsp.client.connection import RtspConnection
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.tracks import Track

DEFAULT_REPORT_INTERVAL_S = 5.0

_BATCHES_READ = 16
"""At most, until every track was seen."""
_SEQUENCE_AND_SSRC = struct.Struct(">xxHxxxxI")
_MIN_RTP_FRAME = 4 + 12


class InterleavedReports:
    """Every `interval_s` one report per track, out of a few frame headers of that moment.

    The media path is read for these few batches only. TCP loses nothing, so no loss is reported.
    """

    def __init__(self, connection: RtspConnection, tracks: Iterable[Track], interval_s: float) -> None:
        self._connection = connection
        self._interval_s = interval_s
        self._ssrc = secrets.randbits(32)
        self._cname = secrets.token_hex(8)
        self._sources = {track.rtp_channel: _Source(track.rtcp_channel) for track in tracks}
        self._missing: set[int] = set()
        self._batches_left = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._sample)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._connection.on_sample = None

    def _sample(self) -> None:
        if self._connection.on_sample is not None:
            # No media since the last report: send one nevertheless.
            self._send()
        self._missing = set(self._sources)
        self._batches_left = _BATCHES_READ
        self._connection.on_sample = self._read_batch
        self.start()

    def _read_batch(self, batch: MediaBatch) -> None:
        for channel, start, end in reversed(batch.frames):
            if channel in self._missing and end - start >= _MIN_RTP_FRAME:
                self._sources[channel].update(*_SEQUENCE_AND_SSRC.unpack_from(batch.data, start + 4))
                self._missing.discard(channel)
        self._batches_left -= 1
        if not self._missing or self._batches_left == 0:
            self._connection.on_sample = None
            self._send()

    def _send(self) -> None:
        if self._connection.closed or self._connection.write_buffer_bytes:
            # A peer that does not read gets nothing more.
            return
        frames = [
            interleave(
                source.rtcp_channel,
                build_receiver_report(ReceiverReport(self._ssrc, source.blocks), cname=self._cname),
            )
            for source in self._sources.values()
        ]
        self._connection.write_media(b"".join(frames))


class _Source:
    def __init__(self, rtcp_channel: int) -> None:
        self.rtcp_channel = rtcp_channel
        self._ssrc: int | None = None
        self._highest = 0

    @property
    def blocks(self) -> tuple[ReportBlock, ...]:
        return (ReportBlock(self._ssrc, highest_sequence=self._highest),) if self._ssrc is not None else ()

    def update(self, sequence: int, ssrc: int) -> None:
        if ssrc != self._ssrc:
            self._ssrc, self._highest = ssrc, sequence
        else:
            self._highest += (sequence - self._highest) & 0xFFFF

"""One read-back: play what a destination plays of a camera, and hash each keyframe that comes. Nothing is decoded here:
where a person views it, the newest keyframe is kept for the decoder."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from prober.domain.delay import Newest
from prober.domain.verification import Keyframe, Seen
from prober.probes.verification.centre_session import CentreSession
from vonggac.media.depacketizer import AccessUnit
from vonggac.media.h26x import VideoCodec, keyframe_hash, nal_type
from vonggac.media.keyframes import KeyframeCollector
from vonggac.media.rtp import RtpHeader, parse_rtp
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError
from vonggac.rtsp import MediaBatch, Track
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES

SILENT_S = 1.0
"""Without a packet for so long the keyframe that came last is whole."""
MAX_KEYFRAMES = 1024
"""Kept of one read-back; a destination that sends keyframes alone cannot fill the memory."""


class KeyframeHashes:
    """Fed with a video track's RTP; collects and hashes keyframes, and passes over everything else."""

    def __init__(
        self,
        codec: VideoCodec,
        on_hash: Callable[[str, int], None],
        on_unit: Callable[[AccessUnit], None] | None = None,
    ) -> None:
        """`on_hash` gets each keyframe's hash in hexadecimal digits and its RTP timestamp; `on_unit` the keyframe."""
        self._codec, self._on_hash, self._on_unit = codec, on_hash, on_unit
        self._keyframes = KeyframeCollector(codec)

    def push(self, header: RtpHeader, payload: memoryview) -> None:
        """Take one packet."""
        self._hash_units(
            self._keyframes.push(payload, sequence=header.sequence, timestamp=header.timestamp, marker=header.marker)
        )

    def end_keyframe(self) -> None:
        """Take the open keyframe as whole where its last packet had a marker: no other packet has come since."""
        if self._keyframes.waits_for_proof:
            self._hash_units(self._keyframes.end_keyframe())

    def _hash_units(self, units: Iterable[AccessUnit]) -> None:
        for unit in units:
            if self._on_unit is not None:
                self._on_unit(unit)
            self._on_hash(keyframe_hash(self._codec, unit.nals).hex(), unit.rtp_timestamp)


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """A keyframe with its parameter sets (NAL units without start code), and when it came."""

    codec: VideoCodec
    nals: Sequence[bytes]
    came_at: datetime


class ReadBack(CentreSession):
    """One session at a destination. `seen` is what came, dated by `now`; `on_change` is called when it has grown."""

    def __init__(
        self,
        networks: AllowedNetworks | None,
        on_change: Callable[[], None],
        now: Callable[[], datetime],
        *,
        keeps_picture: bool = False,
    ) -> None:
        """`networks`: None allows every address, one of our own settings. `keeps_picture`: for a person to view."""
        super().__init__(networks)
        self._keeps_picture = keeps_picture
        self.picture: CodedPicture | None = None
        """The newest, where it is kept."""
        self._on_change, self._now = on_change, now
        self._keyframes: list[Keyframe] = []
        self._hashes: dict[int, KeyframeHashes] = {}
        self._clock_rate = 0
        self._newest: Newest | None = None
        self._silence: asyncio.TimerHandle | None = None

    @property
    def seen(self) -> Seen:
        return Seen(self._keyframes, self.failure, self._newest)

    async def close(self) -> None:
        """Say good-bye, bounded; may be called without a session."""
        self._hashes = {}
        if self._silence is not None:
            self._silence.cancel()
        await super().close()

    def _on_failure(self) -> None:
        self._on_change()

    def _on_video(self, track: Track, codec: VideoCodec) -> None:
        on_unit = partial(self._keep, codec, track.media.parameter_sets) if self._keeps_picture else None
        self._hashes = {track.rtp_channel: KeyframeHashes(codec, self._on_hash, on_unit)}
        self._clock_rate = track.clock_rate

    def _on_media(self, batch: MediaBatch) -> None:
        data, newest = batch.data, None
        view = memoryview(data)
        for channel, start, end in batch.frames:
            hashes = self._hashes.get(channel)
            if hashes is None:
                continue
            try:
                header = parse_rtp(data, start + FRAME_HEADER_BYTES, end)
            except MalformedError:
                continue
            hashes.push(header, view[header.payload_start : header.payload_end])
            newest = header.timestamp
        if newest is not None:
            self._newest = Newest(newest, self._now(), self._clock_rate)
            self._end_keyframe_in_silence()

    def _end_keyframe_in_silence(self) -> None:
        # A destination that stands still sends nothing behind its last keyframe.
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(SILENT_S, self._end_keyframes)

    def _end_keyframes(self) -> None:
        for hashes in self._hashes.values():
            hashes.end_keyframe()

    def _on_hash(self, found: str, rtp_timestamp: int) -> None:
        if len(self._keyframes) < MAX_KEYFRAMES:
            self._keyframes.append(Keyframe(found, self._now(), rtp_timestamp))
            self._on_change()

    def _keep(self, codec: VideoCodec, described: Sequence[bytes], unit: AccessUnit) -> None:
        """Keep the keyframe with the stream's own parameter sets, and the description's where some are missing."""
        present = {nal_type(codec, nal) for nal in unit.nals}
        missing = [nal for nal in described if nal_type(codec, nal) not in present]
        self.picture = CodedPicture(codec, [*missing, *unit.nals], self._now())

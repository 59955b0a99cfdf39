"""One read-back: play what a destination plays of a camera, and hash each keyframe that comes. Nothing is decoded here:
where a person views it, the newest keyframe is kept for the decoder."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from prober.domain.delay import Newest
from prober.domain.verification import Failure, Keyframe, Seen
from vonggac.auth import Credentials
from vonggac.events import Cause
from vonggac.media.depacketizer import AccessUnit
from vonggac.media.h26x import VideoCodec, keyframe_hash, nal_type, video_codec
from vonggac.media.keyframes import KeyframeCollector
from vonggac.media.rtp import RtpHeader, parse_rtp
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.net.url import RtspUrl, fill_credentials, hide_login, takes_credentials
from vonggac.rtsp import MediaBatch, Player, PlayOptions, Route, Step, Track, open_player
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES

SCHEMES = ("rtsp", "rtsps")
SILENT_S = 1.0
"""Without a packet for so long the keyframe that came last is whole."""
MAX_KEYFRAMES = 1024
"""Kept of one read-back; a destination that sends keyframes alone cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where to read back. `url` without credentials; it may hold their placeholders."""

    url: str
    credentials: Credentials | None = None
    tls: TlsPolicy = SYSTEM_AUTHORITIES
    marks: tuple[tuple[str, str], ...] = ()
    """Headers of our own, by which our own server knows a check of ours."""


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


class ReadBack:
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
        self._keeps_picture = keeps_picture
        self.picture: CodedPicture | None = None
        """The newest, where it is kept."""
        self._networks, self._on_change, self._now = networks, on_change, now
        self._keyframes: list[Keyframe] = []
        self._failure: Failure | None = None
        self._player: Player | None = None
        self._hashes: dict[int, KeyframeHashes] = {}
        self._clock_rate = 0
        self._newest: Newest | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._credentials: Credentials | None = None
        self._steps: list[Step] = []
        self.login_accepted: bool | None = None
        """None while the destination has not said."""

    @property
    def seen(self) -> Seen:
        return Seen(self._keyframes, self._failure, self._newest)

    @property
    def steps_ms(self) -> dict[str, float]:
        """How long each step of opening took; of one that was made twice, the last time."""
        return {step.name: round(step.ms, 1) for step in self._steps}

    def fail(self, failure: Failure) -> None:
        """There will come no more; the first reason stands."""
        if self._failure is None:
            self._failure = failure
            self._on_change()

    async def open(self, source: Source, *, deadline_s: float) -> None:
        """Play. Never raises for what a destination does: `seen` has the failure then."""
        self._credentials = source.credentials
        try:
            await self._open(source, deadline_s)
        except PeerError as error:
            hide_login(error, source.credentials)
            sent = error.login_sent or takes_credentials(source.url)
            if source.credentials is not None and sent and error.cause is Cause.AUTH_FAILED:
                self.login_accepted = False
            self.fail(Failure(error.cause, error.message))

    async def close(self) -> None:
        """Say good-bye, bounded; may be called without a session."""
        self._hashes = {}
        if self._silence is not None:
            self._silence.cancel()
        player, self._player = self._player, None
        if player is not None:
            await player.close()

    async def _open(self, source: Source, deadline_s: float) -> None:
        """Open the session. Raises PeerError."""
        if source.url.partition("://")[0].lower() not in SCHEMES:
            msg = f"only {' and '.join(f'{scheme}://' for scheme in SCHEMES)} can be read back"
            raise PeerError(Cause.TRANSPORT_UNSUPPORTED, msg)
        self._player = await open_player(
            Route(
                RtspUrl.parse(fill_credentials(source.url, source.credentials)),
                source.credentials,
                self._networks,
                source.tls,
                marks=source.marks,
            ),
            deadline_s=deadline_s,
            on_media=self._on_media,
            on_lost=self._on_lost,
            on_tracks=self._on_tracks,
            options=PlayOptions(send_options=bool(source.marks)),
            steps=self._steps,
        )

    def _on_tracks(self, tracks: tuple[Track, ...]) -> None:
        self.login_accepted = True
        track = tracks[0]
        codec = video_codec(track.codec)
        if codec is None:
            raise PeerError(Cause.CODEC_UNSUPPORTED, f"the video is {track.codec or 'not named'}, not H.264 or H.265")
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

    def _on_lost(self, error: PeerError | None) -> None:
        if error is not None:
            hide_login(error, self._credentials)
            self.fail(Failure(error.cause, error.message))

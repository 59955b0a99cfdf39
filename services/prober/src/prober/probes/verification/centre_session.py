"""One session at a centre that plays back what it receives: opened once, its failure is a value."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from prober.domain.verification import Failure
from vonggac.auth import Credentials
from vonggac.events import Cause
from vonggac.media.h26x import VideoCodec, video_codec
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.net.url import RtspUrl, fill_credentials, hide_login, takes_credentials
from vonggac.rtsp import MediaBatch, Player, PlayOptions, Route, Step, Track, open_player

SCHEMES = ("rtsp", "rtsps")


@dataclass(frozen=True, slots=True)
class Source:
    """Where to read back. `url` without credentials; it may hold their placeholders."""

    url: str
    credentials: Credentials | None = None
    tls: TlsPolicy = SYSTEM_AUTHORITIES
    marks: tuple[tuple[str, str], ...] = ()
    """Headers of our own, by which our own server knows a check of ours."""


class CentreSession(ABC):
    """Of its own: the way to PLAY, the login's verdict, and the first failure. What comes is for who derives of it."""

    def __init__(self, networks: AllowedNetworks | None) -> None:
        """`networks`: None allows every address, one of our own settings."""
        self._networks = networks
        self._player: Player | None = None
        self._credentials: Credentials | None = None
        self._steps: list[Step] = []
        self.failure: Failure | None = None
        """Why it did not begin, or ended."""
        self.login_accepted: bool | None = None
        """None while the destination has not said."""

    @property
    def steps_ms(self) -> dict[str, float]:
        """How long each step of opening took; of one that was made twice, the last time."""
        return {step.name: round(step.ms, 1) for step in self._steps}

    def fail(self, failure: Failure) -> None:
        """There will come no more; the first reason stands."""
        if self.failure is None:
            self.failure = failure
            self._on_failure()

    async def open(self, source: Source, *, deadline_s: float) -> None:
        """Play. Never raises for what a destination does: `failure` has it then."""
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
        self._on_video(track, codec)

    def _on_lost(self, error: PeerError | None) -> None:
        if error is not None:
            hide_login(error, self._credentials)
            self.fail(Failure(error.cause, error.message))

    @abstractmethod
    def _on_video(self, track: Track, codec: VideoCodec) -> None:
        """Learn what will come. Raises PeerError where that is of no use."""

    @abstractmethod
    def _on_media(self, batch: MediaBatch) -> None:
        """Take what came."""

    @abstractmethod
    def _on_failure(self) -> None:
        """Learn that no more will come."""

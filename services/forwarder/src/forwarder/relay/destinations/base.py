"""What every way of publishing gets and gives: whatever the protocol, supervisors see a `Session`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from forwarder.domain.backpressure import Bounds
from forwarder.relay.destinations.receiver_reports import Reported
from forwarder.relay.media.budget import MediaBudget
from forwarder.relay.sources.base import CameraSource
from vonggac.events.forwarder import HintReason
from vonggac.events.inventory import TlsTrust
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.url import Credentials


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how to publish. `url` may hold the placeholders of `fill_credentials`."""

    url: str
    credentials: Credentials | None
    video_only: bool
    deadline_s: float
    bounds: Bounds
    budget: MediaBudget
    allowed: AllowedNetworks
    tls: TlsTrust | None = None
    enhanced_rtmp: bool = False
    """The destination takes H.265 over RTMP."""


class UnreachableError(PeerError):
    """No connection to the destination could be made; `host` and `port` say what was tried."""

    def __init__(self, error: PeerError, host: str, port: int) -> None:
        super().__init__(error.cause, error.message)
        self.host, self.port = host, port


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one session, or summed over sessions. Media bytes; packets are RTP and RTCP, frames are whole pictures."""

    bytes_written: int = 0
    bytes_acknowledged: int = 0
    packets_sent: int = 0
    frames_sent: int = 0
    packets_dropped: int = 0
    groups_dropped: int = 0
    packets_late: int = 0
    """Of the dropped ones, those left out because the destination lagged behind for seconds; the others: for bytes."""
    groups_late: int = 0
    reported: Reported | None = None
    """The destination's own word, where it gives one; of the last session."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.bytes_written + other.bytes_written,
            self.bytes_acknowledged + other.bytes_acknowledged,
            self.packets_sent + other.packets_sent,
            self.frames_sent + other.frames_sent,
            self.packets_dropped + other.packets_dropped,
            self.groups_dropped + other.groups_dropped,
            self.packets_late + other.packets_late,
            self.groups_late + other.groups_late,
            other.reported,
        )


class SessionProgress(NamedTuple):
    """Of an open session, by now."""

    written: int
    """Media bytes."""
    acknowledged: int
    unread_for_s: float = 0.0
    """How long the destination's process has read nothing of what its kernel acknowledges; 0 where nobody can know."""
    doubtful: bool = False
    """Its kernel acknowledges, and whether its process reads nobody can know yet."""
    ack_age_s: float = 0.0
    """How long ago its kernel acknowledged last: nothing was acknowledged after that."""
    hint: HintReason | None = None
    """What is unusual about its line, once: a reason to have it read back now."""


class Session(Protocol):
    """What the supervisor of a delivery needs of an open session, whatever the protocol."""

    @property
    def counts(self) -> Counts: ...

    def read_progress(self, now_s: float) -> SessionProgress:
        """Media bytes written and acknowledged by now; judges the lag. Call about once a second."""

    async def close(self) -> None:
        """End in order; bounded to about a second."""

    def abort(self) -> None:
        """End at once."""


type OnLost = Callable[[PeerError | None], None]
"""Called once, for a session that was returned: with None after our own end."""

type Publish = Callable[[Target, CameraSource, OnLost], Awaitable[Session]]
"""One attempt to publish. Raises PeerError; UnreachableError when not even a connection was made."""

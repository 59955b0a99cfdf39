"""What every probe gets, and the type of every probe."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from prober.domain.picture import PictureJudgement, Thumbnail
from prober.domain.result import ProbeResult
from prober.probes.camera.decoder import Decoder
from vonggac.auth import Credentials
from vonggac.bus import ServerClock
from vonggac.events.prober import ProbeKind
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy

type JudgePicture = Callable[[Thumbnail], PictureJudgement]


@dataclass(frozen=True, slots=True)
class Target:
    """One camera for one attempt. `url` without credentials (it may hold their placeholders).

    A light probe ends with the header of a keyframe and decodes nothing. `transport`: as in `open_player`. `tls`: whom
    to trust on rtsps://. `judge`: what to do with the picture as soon as it is decoded, in the decoder's thread.
    `logged_in` is called as soon as the camera took the login.
    """

    url: str
    credentials: Credentials | None
    deadline_s: float
    kind: ProbeKind = ProbeKind.DEEP
    transport: str = "tcp"
    tls: TlsPolicy = SYSTEM_AUTHORITIES
    judge: JudgePicture | None = None
    logged_in: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What probes share in a process."""

    allowed_networks: AllowedNetworks
    decoder: Decoder
    measure_window_s: float
    clock: ServerClock = field(default_factory=ServerClock)


type Probe = Callable[[Target, Tools], Awaitable[ProbeResult]]
"""One attempt within `deadline_s` (and a bounded time to say good-bye); never raises for what a camera does."""

"""What every probe gets, and the type of every probe."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from prober.domain.picture import PictureHistory
from prober.domain.result import ProbeResult
from prober.probes.decoding.pool import Decoder
from prober.probes.loop_lag import LoopLag
from vonggac.auth import Credentials
from vonggac.bus import ServerClock
from vonggac.events.prober import ProbeKind
from vonggac.media.keyframe_weight import Weights
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy


@dataclass(frozen=True, slots=True)
class Target:
    """One camera for one attempt. `url` without credentials (it may hold their placeholders).

    A light probe ends with the header of a keyframe and decodes nothing. Beside `known_good` ones it weighs the
    keyframe, and is deep where that weighs otherwise. `transport`: as in `PlayOptions`. `tls`: whom to trust on
    rtsps://. `history`: what the picture is judged beside as soon as it is decoded. `logged_in` is called as soon as
    the camera took the login.
    """

    url: str
    credentials: Credentials | None
    deadline_s: float
    kind: ProbeKind = ProbeKind.DEEP
    transport: str = "tcp"
    tls: TlsPolicy = SYSTEM_AUTHORITIES
    history: PictureHistory | None = None
    logged_in: Callable[[], None] | None = None
    known_good: Weights | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What probes share in a process."""

    allowed_networks: AllowedNetworks
    decoder: Decoder
    measure_window_s: float
    clock: ServerClock = field(default_factory=ServerClock)
    lag: LoopLag = field(default_factory=LoopLag)


type Probe = Callable[[Target, Tools], Awaitable[ProbeResult]]
"""One attempt within `deadline_s` (and a bounded time to say good-bye); never raises for what a camera does."""

"""What supervisors are given: the clock, chance, keys, limits. One object for all cameras of a process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from forwarder.domain.backpressure import Bounds
from forwarder.domain.camera_pull import PullLimits
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Limits
from forwarder.domain.keyframes import KeyframeTiming
from forwarder.relay.demux.pool import RemuxPool
from forwarder.relay.media.budget import MediaBudget
from forwarder.relay.supervision.camera_login import CameraLogins
from forwarder.relay.supervision.reachability import ReachabilityChecks
from forwarder.relay.supervision.ticker import Ticker
from vonggac.auth.sealing import SecretUnreadableError, Unsealer
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.origin import Origin
from vonggac.net.url import Credentials


@dataclass(frozen=True, slots=True)
class RelayContext:
    """`now` reads the clocks, `chance` gives a random number in [0, 1); times are seconds."""

    now: Callable[[], Instant]
    chance: Callable[[], float]
    unsealer: Unsealer
    allowed: AllowedNetworks
    limits: Limits = field(default_factory=Limits)
    pull_limits: PullLimits = field(default_factory=PullLimits)
    bounds: Bounds = field(default_factory=Bounds)
    budget: MediaBudget = field(default_factory=MediaBudget)
    keyframes: KeyframeTiming = field(default_factory=KeyframeTiming)
    connect_deadline_s: float = 10.0
    media_timeout_s: float = 10.0
    monotonic_s: Callable[[], float] = time.monotonic
    """The same clock as `now().monotonic_s`, for what is read often."""
    receive_low_water_bytes: int = 0
    reachability: ReachabilityChecks = field(default_factory=ReachabilityChecks)
    ticker: Ticker = field(default_factory=Ticker)
    logins: CameraLogins | None = None
    """None until NATS is there, which remembers failed logins."""
    remux: RemuxPool = field(default_factory=RemuxPool)
    """Its processes end when it is closed, or this process ends."""

    def open_secret(self, sealed: str | None, url: str, *others: Origin) -> Credentials | None:
        """The login for `url`; `others` as of `Unsealer.unseal`.

        Raises PeerError: secret_unreadable or secret_moved.
        """
        if sealed is None:
            return None
        try:
            return self.unsealer.unseal(sealed, url, *others)
        except SecretUnreadableError as error:
            raise PeerError(error.cause, str(error)) from None

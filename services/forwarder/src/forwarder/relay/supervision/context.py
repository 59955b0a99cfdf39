"""What supervisors are given: the clock, chance, keys, limits. One object for all cameras of a process."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from forwarder.domain.backpressure import Bounds
from forwarder.domain.camera_pull import PullLimits
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Limits
from forwarder.domain.picture.keyframes import KeyframeRoom, KeyframeTiming
from forwarder.relay.demux.pool import RemuxPool
from forwarder.relay.destinations.hints import ReadBackHints
from forwarder.relay.media.budget import MediaBudget
from forwarder.relay.passing.accounts import ServedAccounts
from forwarder.relay.server.offers import Offers
from forwarder.relay.sources.base import PlayLimits
from forwarder.relay.supervision.reachability import ReachabilityChecks
from forwarder.relay.supervision.ticker import Ticker
from vonggac.auth.sealing import SecretUnreadableError, Unsealer
from vonggac.events.inventory import CameraV1
from vonggac.logins.attempt import Logins, device_origins
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
    keyframe_room: KeyframeRoom = field(default_factory=KeyframeRoom)
    connect_deadline_s: float = 10.0
    """For one whole handshake with a camera or a destination."""
    media_timeout_s: float = 10.0
    """Without video packets until a camera counts as lost; twice its usual gap where that is longer, 30 s at most."""
    monotonic_s: Callable[[], float] = time.monotonic
    """The same clock as `now().monotonic_s`, for what is read often."""
    wall_correction_s: Callable[[], float] = lambda: 0.0
    """What to add to this machine's wall clock to get that of `now`."""
    receive_low_water_bytes: int = 0
    reachability: ReachabilityChecks = field(default_factory=ReachabilityChecks)
    ticker: Ticker = field(default_factory=Ticker)
    logins: Logins | None = None
    """None until NATS is there, which remembers failed logins."""
    hints: ReadBackHints = field(default_factory=lambda: ReadBackHints(time.monotonic, lambda: datetime.now(UTC)))
    """What asks for read-backs before their time, by the clocks of `now`."""
    offers: Offers | None = None
    """What centres may pull from this worker; None where it serves none."""
    centres_come: Callable[[], bool] = lambda: True
    """Whether centres connect to this worker or to another one of its fleet."""
    accounts: ServedAccounts | None = None
    """How centres log in at any worker; None until NATS is there."""
    remux: RemuxPool = field(default_factory=RemuxPool)
    """Its processes end when it is closed, or this process ends."""

    @property
    def play_limits(self) -> PlayLimits:
        """Bounds of one attempt to play a camera."""
        return PlayLimits(self.connect_deadline_s, self.media_timeout_s, self.allowed, self.remux, self.logins)

    def open_secret(self, sealed: str | None, url: str, *others: Origin) -> Credentials | None:
        """Unseal the login for `url`; `others` as of `Unsealer.unseal`.

        Raises PeerError: secret_unreadable or secret_moved.
        """
        if sealed is None:
            return None
        try:
            return self.unsealer.unseal(sealed, url, *others)
        except SecretUnreadableError as error:
            raise PeerError(error.cause, str(error)) from None

    def open_login(self, camera: CameraV1) -> Credentials | None:
        """Unseal the camera's own login. Raises as `open_secret` does."""
        return self.open_secret(camera.secret, camera.url, *device_origins(camera.expected))

    def login_of(self, camera: CameraV1) -> str | None:
        """Find the name under which failed logins of the camera are counted; None where none are."""
        if self.logins is None:
            return None
        try:
            return self.logins.login_of(camera.url, self.open_login(camera))
        except PeerError:
            return None

    def keep_seals(self, before: CameraV1, camera: CameraV1, *, deliveries: Collection[UUID], source: bool) -> CameraV1:
        """Keep in the plan `camera` the sealed secrets of `before` where the secret inside is the same.

        A secret that is sealed once more has other bytes; that alone must restart nothing. Only for these `deliveries`,
        and for the camera itself if `source`: not where a login was refused, because a person may have corrected it at
        the peer and enter it again for that reason.
        """
        known = {planned.id: planned.secret for planned in before.deliveries if planned.id in deliveries}
        planned_deliveries = tuple(
            planned.model_copy(update={"secret": self._keep_seal(known.get(planned.id), planned.secret, planned.url)})
            for planned in camera.deliveries
        )
        secret = self._keep_seal(before.secret, camera.secret, camera.url) if source else camera.secret
        return camera.model_copy(update={"secret": secret, "deliveries": planned_deliveries})

    def _keep_seal(self, old: str | None, new: str | None, url: str) -> str | None:
        """`old` where it may be used at `url` and holds the same login."""
        if old is None or new is None or old == new:
            return new
        try:
            return old if self.open_secret(old, url) == self.open_secret(new, url) else new
        except PeerError:
            return new

"""What is served: one offer for each camera and centre, found by its path, and the account that it belongs to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from forwarder.relay.destinations.base import Counts, SessionProgress
from forwarder.relay.passing.accounts import CentreAccount
from forwarder.relay.sources.base import CameraSource
from vonggac.events.causes import Cause
from vonggac.events.forwarder import ServedSession
from vonggac.events.inventory.serving import ServedTransport

TRACK = "trackID="
"""What the last part of a track's address begins with."""


class PlayingSession(Protocol):
    """One session that plays an offer."""

    @property
    def counts(self) -> Counts: ...

    @property
    def over_udp(self) -> bool: ...

    def read_progress(self, now_s: float) -> SessionProgress: ...

    def describe(self) -> ServedSession: ...

    def end(self, *, reset: bool) -> None:
        """Say goodbye and end the connection; `reset`: at once, whatever still waits in it."""


type OnRefused = Callable[[Cause, str], None]
type OnRequest = Callable[[str], None]
type OnBegan = Callable[[PlayingSession], None]
type OnEnded = Callable[[PlayingSession, bool], None]
"""With whether a worker's end has ended it, not its centre."""


@dataclass(eq=False)
class Offer(CentreAccount):
    """One camera for one centre. `source` is None while there is no picture to give."""

    path: str
    on_request: OnRequest
    on_refused: OnRefused
    on_began: OnBegan
    on_ended: OnEnded
    source: CameraSource | None = None
    _places: set[object] = field(default_factory=set)

    def take_place(self, holder: object) -> bool:
        """Have one of the sessions that the centre may open of this camera; False when all are taken."""
        if holder not in self._places and len(self._places) >= self.serving.sessions_per_camera:
            return False
        self._places.add(holder)
        return True

    def leave_place(self, holder: object) -> None:
        """Harmless without one."""
        self._places.discard(holder)

    def allows(self, session: ServedSession) -> bool:
        """Whether an open session may go on."""
        return (
            self.admits(session.peer)
            and not (self.needs_tls and session.tls is None)
            and ServedTransport(session.transport) in self.serving.transports
        )


def find_stream(target: str) -> str:
    """Find the path of the stream in a target: the stream's own, or that of one of its tracks."""
    stream, _, track = target.rpartition("/")
    return stream if track.startswith(TRACK) else target


class Offers:
    """All that this worker serves."""

    def __init__(self, on_new_account: Callable[[str], None] = lambda _username: None) -> None:
        """`on_new_account`: called when the first camera of an account is served."""
        self._on_new_account = on_new_account
        self._by_path: dict[str, Offer] = {}
        self._by_account: dict[str, list[Offer]] = {}

    def add(self, offer: Offer) -> None:
        """Serve it, instead of what was served at its path."""
        if (before := self._by_path.get(offer.path)) is not None:
            self.remove(before)
        self._by_path[offer.path] = offer
        if offer.serving.account not in self._by_account:
            self._on_new_account(offer.serving.account)
        self._by_account.setdefault(offer.serving.account, []).append(offer)

    def remove(self, offer: Offer) -> None:
        """Serve it no more; harmless when another one stands at its path by now."""
        if self._by_path.get(offer.path) is not offer:
            return
        del self._by_path[offer.path]
        of_account = self._by_account[offer.serving.account]
        of_account.remove(offer)
        if not of_account:
            del self._by_account[offer.serving.account]

    def find(self, path: str) -> Offer | None:
        """Find the offer at a path."""
        return self._by_path.get(path)

    def find_of(self, username: str) -> Offer | None:
        """Any offer of an account: all of them have its login."""
        return next(iter(self._by_account.get(username, ())), None)

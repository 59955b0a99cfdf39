"""One connection of a centre: who it is, what it may see, and the one session that it plays."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from forwarder.domain.backpressure import Bounds
from forwarder.relay.media.budget import MediaBudget
from forwarder.relay.server.first_packets import find_first_packets, present
from forwarder.relay.server.offers import REALM, Offer, Offers
from forwarder.relay.server.refused_logins import RefusedLogins
from forwarder.relay.server.session import CentreSession
from forwarder.relay.sources.base import CameraSource
from vonggac.events.causes import Cause
from vonggac.events.inventory.serving import ServedTransport
from vonggac.net.errors import MalformedError
from vonggac.net.http_auth import parse_authorization
from vonggac.net.url import Credentials
from vonggac.rtsp.server.connection import ServerConnection
from vonggac.rtsp.server.liveness import HANDSHAKE_S, Patience
from vonggac.rtsp.server.login import Account, Login
from vonggac.rtsp.server.media_sender import MediaSender
from vonggac.rtsp.server.play_session import PlaySession
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.server.session_state import Presentation, SessionState, target_of
from vonggac.rtsp.server.transport_policy import TransportPolicy
from vonggac.rtsp.wire.messages import Request

SESSION_TIMEOUT_S = 60
RETRY_AFTER_S = 5
MAX_USERNAME = 100
_SPARE_BYTES = 1 << 20
_OPEN = frozenset({"OPTIONS"})
_ASKING = frozenset({"DESCRIBE", "SETUP"})
_KEEPING_ALIVE = frozenset({"GET_PARAMETER", "SET_PARAMETER"})
_OF_SESSION = _KEEPING_ALIVE | {"PLAY", "PAUSE", "TEARDOWN"}
"""Players name the stream in several ways once it is set up: there the session's id decides."""


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What all connections of a worker's server share."""

    offers: Offers
    refused_logins: RefusedLogins
    stranger: Credentials
    """A login that nobody knows: unknown accounts are judged by it, in the same time."""
    now: Callable[[], datetime]
    bounds: Bounds
    budget: MediaBudget
    udp_ports: range | None
    on_connected: Callable[["CentreOfConnection"], None]
    on_admitted: Callable[["CentreOfConnection"], None]
    on_disconnected: Callable[["CentreOfConnection"], None]


class CentreOfConnection(ServerConnection):
    """A centre, as far as this connection is concerned: at most one session, of one camera."""

    def __init__(self, parts: ServerParts) -> None:
        super().__init__(Patience(SESSION_TIMEOUT_S, ends_silent_tcp=False))
        self._parts = parts
        self.max_unread_bytes = parts.bounds.buffer_bytes + _SPARE_BYTES
        self.peer = ""
        self.agent: str | None = None
        self.tls_version: str | None = None
        self._login: Login
        self._sender: MediaSender
        self._session: PlaySession | None = None
        self._offer: Offer | None = None
        """Whose camera is set up, or is asked for last."""
        self._set_up_source: CameraSource | None = None
        self._playing: CentreSession | None = None
        self._challenged: Offer | None = None
        """Asked for without any login so far."""
        self._admitted = False
        self._login_timer: asyncio.TimerHandle | None = None

    @property
    def carries_media(self) -> bool:
        return self._playing is not None and not self._playing.over_udp

    def connected(self) -> None:
        self.peer = str(self.transport.get_extra_info("peername")[0])
        tls = self.transport.get_extra_info("ssl_object")
        self.tls_version = tls.version() if tls is not None else None
        self._login = Login(self._stranger, secure=tls is not None)
        self._sender = MediaSender(self.transport, self.note_alive, udp_ports=self._parts.udp_ports)
        self._login_timer = self._loop.call_later(HANDSHAKE_S, self._end_if_strange)
        self._parts.on_connected(self)

    def disconnected(self) -> None:
        if self._login_timer is not None:
            self._login_timer.cancel()
        self._end_session()
        self._leave_place()
        self._sender.close()
        if self._challenged is not None:
            self._refuse(self._challenged, Cause.AUTH_FAILED, "no login")
        self._parts.on_disconnected(self)

    def pause_writing(self) -> None:
        """The transport's buffer crossed its bound."""
        if self._playing is not None:
            self._playing.buffer_is_full()

    def reply_to(self, request: Request) -> Reply | None:
        self.agent = _readable(request.headers.get("User-Agent")) or self.agent
        if request.method in _OPEN or (request.method in _KEEPING_ALIVE and self._admitted):
            # A player that gets 401 amid its stream would end it, and nothing is changed here.
            return self._answer(request)
        offer = self._parts.offers.find(target_of(request.uri))
        denial = self._find_denial(request, offer)
        if denial is not None:
            return denial
        if offer is None and request.method in _OF_SESSION:
            offer = self._offer
        if offer is None:
            return Reply(404)
        if request.method in _ASKING:
            offer.on_asked(self._asker)
            if offer.source is None:
                return Reply(503, (("Retry-After", str(RETRY_AFTER_S)),))
        if self._session is None or not self._session.state.tracks:
            self._begin_with(offer)
        elif request.method == "PLAY" and self._set_up_source is not offer.source:
            # The camera began anew: what was set up is not what would be sent.
            self._session.end()
            return Reply(503, (("Retry-After", str(RETRY_AFTER_S)),), close=True)
        return self._answer(request)

    # What PlaySession plays.

    def find_presentation(self, uri: str) -> Presentation | None:
        """What is at an address for this centre."""
        offer = self._parts.offers.find(target_of(uri)) or self._offer
        if offer is None or offer.source is None or not self._is_of_account(offer):
            return None
        return present(offer.source, offer.path)

    def refuse_session(self) -> Reply | None:
        """Return why no further session may be set up; None when it may."""
        offer = self._offer
        if offer is None or offer.take_place(self):
            return None
        self._refuse(offer, Cause.SESSION_LIMIT)
        return Reply(453)

    def ssrc_of(self, track: int) -> int | None:
        """The sender of the track's packets, where a kept packet shows it."""
        source = self._offer.source if self._offer is not None else None
        first = find_first_packets(source).get(track) if source is not None else None
        return first.ssrc if first is not None else None

    def begin_media(self) -> Mapping[int, tuple[int, int]]:
        """Begin to send once the answer is written; return what is sent first."""
        offer = self._offer
        source = offer.source if offer is not None else None
        if offer is None or source is None:
            return {}
        if self._playing is None:
            parts = self._parts
            self._playing = CentreSession(
                self, source, self._sender, since=parts.now(), bounds=parts.bounds, budget=parts.budget
            )
            offer.on_began(self._playing)
        return {number: (first.sequence, first.timestamp) for number, first in find_first_packets(source).items()}

    def pause_media(self) -> None:
        """Send nothing more. Harmless when nothing is sent."""
        # A centre that pauses receives nothing: it has left, and comes back with PLAY.
        self._end_session()

    def _answer(self, request: Request) -> Reply:
        session = self._session
        if session is None:
            session = self._new_session(TransportPolicy())
        reply = session.reply_to(request)
        if request.method == "SETUP" and reply.status == 461 and self._offer is not None:
            self._refuse(self._offer, Cause.TRANSPORT_UNSUPPORTED)
        if request.method == "PLAY" and reply.status == 200 and self._playing is not None:
            return replace(reply, then=self._playing.begin)
        if request.method == "SETUP" and reply.status == 200 and self._offer is not None:
            self._set_up_source = self._offer.source
        if not session.state.tracks:
            self._leave_place()
        return reply

    def _leave_place(self) -> None:
        if self._offer is not None:
            self._offer.leave_place(self)

    def _begin_with(self, offer: Offer) -> None:
        self._offer = offer
        allowed = offer.serving.transports
        udp = ServedTransport.UDP in allowed and self._parts.udp_ports is not None and self.tls_version is None
        self._session = self._new_session(TransportPolicy(tcp=ServedTransport.TCP in allowed, udp=udp))

    def _new_session(self, policy: TransportPolicy) -> PlaySession:
        return PlaySession(self, self._sender, SessionState(self.session_id, SESSION_TIMEOUT_S), policy)

    def _end_session(self) -> None:
        """The centre has left, whatever of the connection is still there."""
        playing, self._playing = self._playing, None
        if playing is not None and self._offer is not None:
            playing.connection_ended()
            self._offer.on_ended(playing)

    def _find_denial(self, request: Request, offer: Offer | None) -> Reply | None:
        """The answer to a request that is refused: 401 before login, whatever it asks for; 404 for what is not its."""
        parts, now_s = self._parts, self._loop.time()
        given = request.headers.get("Authorization")
        username = _username_of(given)
        if given is not None and (rest_s := parts.refused_logins.rest_s(username, self.peer, now_s)) > 0:
            return Reply(403, (("Retry-After", str(ceil(rest_s))),), close=True)
        of_account = parts.offers.find_of(username) if given is not None else offer
        if offer is not None and offer.serving.account == username:
            of_account = offer
        self._login.expect(of_account.account(parts.now()) if of_account is not None else self._stranger)
        failures = self._login.failures
        denial = self._login.denial(request, now_s)
        if self._login.failures > failures:
            parts.refused_logins.count_failure(username, self.peer, now_s)
            self._challenged = None
            if offer is not None:
                self._refuse(offer, Cause.AUTH_FAILED)
        elif denial is not None and given is None and request.method in _ASKING:
            self._challenged = offer
        if denial is not None:
            return denial
        assert of_account is not None, "nobody logs in as a stranger"
        self._challenged = None
        return self._find_refusal(of_account, offer)

    def _find_refusal(self, of_account: Offer, offer: Offer | None) -> Reply | None:
        """Of somebody who knows the password."""
        mine = offer if offer is not None and offer.serving.account == of_account.serving.account else None
        if not of_account.admits(self.peer):
            if mine is not None:
                mine.on_refused(Cause.ADDRESS_NOT_ALLOWED, self._asker)
            return Reply(403, close=True)
        if of_account.needs_tls and self.tls_version is None:
            if mine is not None:
                self._refuse(mine, Cause.TLS_REQUIRED)
            return Reply(403, close=True)
        if not self._admitted:
            self._admitted = True
            self._parts.on_admitted(self)
        return Reply(404) if offer is not None and mine is None else None

    def _refuse(self, offer: Offer, why: Cause, note: str = "") -> None:
        """Note it for the delivery. Who comes from elsewhere is a stranger, whatever camera he names."""
        if offer.admits(self.peer):
            offer.on_refused(why, f"{self._asker}{f' ({note})' if note else ''}")

    def _is_of_account(self, offer: Offer) -> bool:
        return self._offer is None or offer.serving.account == self._offer.serving.account

    def _end_if_strange(self) -> None:
        """Nobody needs ten seconds to log in."""
        if not self._admitted:
            self.close_soon()

    @property
    def _asker(self) -> str:
        return f"{self.peer}, {self.agent}" if self.agent else self.peer

    @property
    def _stranger(self) -> Account:
        return Account(REALM, self._parts.stranger)


def _username_of(given: str | None) -> str:
    try:
        return parse_authorization(given).parameters.get("username", "")[:MAX_USERNAME] if given else ""
    except MalformedError:
        return ""


def _readable(text: str | None) -> str | None:
    """What a peer writes of itself, for logs and pages: short, and without signs that a terminal obeys."""
    if text is None:
        return None
    return "".join(sign for sign in text if sign.isprintable())[:100] or None

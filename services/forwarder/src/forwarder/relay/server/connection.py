"""One connection of a centre: who it is, what it may see, and the one session that it plays."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from forwarder.domain.backpressure import Bounds
from forwarder.domain.serving.tickets import Passed
from forwarder.relay.destinations.tcp_ack import TcpAcknowledgement
from forwarder.relay.media.budget import MediaBudget
from forwarder.relay.passing.datagrams import UDP_OF_FRONT, PassedUdpTrack
from forwarder.relay.passing.evidence import Report
from forwarder.relay.passing.fleet import RemoteOffer
from forwarder.relay.passing.passage import Passage
from forwarder.relay.passing.passed import PassedAcknowledgement, PassedTransport, ReceivedEvidence
from forwarder.relay.server.admission import (
    ASKING,
    RETRY_AFTER,
    Admission,
    Asker,
    LoginAdmission,
    PassedAdmission,
    Served,
    note_request,
    refuse,
    shows_ticket,
)
from forwarder.relay.server.first_packets import find_first_packets, present
from forwarder.relay.server.offers import Offer
from forwarder.relay.server.refused_logins import RefusedLogins
from forwarder.relay.server.session import Acknowledgement, CentreSession
from forwarder.relay.server.stranger_connection import StrangerConnection
from forwarder.relay.server.turned_away import Reason, TurnedAway
from forwarder.relay.sources.base import CameraSource
from vonggac.events.causes import Cause
from vonggac.events.inventory.serving import ServedTransport
from vonggac.net.iterations import Share
from vonggac.net.url import Credentials
from vonggac.rtsp.server.conformance import usable_cseq
from vonggac.rtsp.server.liveness import HANDSHAKE_S, Patience
from vonggac.rtsp.server.media_sender import MediaSender
from vonggac.rtsp.server.play_session import PlaySession
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.server.session_state import Presentation, SessionState, target_of
from vonggac.rtsp.server.transport_policy import TransportPolicy
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.messages import Request

SESSION_TIMEOUT_S = 60
CHECK_LASTS_S = 60.0
"""A check of ours ends itself; one whose prober has died is ended."""
_SPARE_BYTES = 1 << 20
_OPEN = frozenset({"OPTIONS"})
_KEEPING_ALIVE = frozenset({"GET_PARAMETER", "SET_PARAMETER"})
_OF_SESSION = _KEEPING_ALIVE | {"PLAY", "PAUSE", "TEARDOWN"}
"""Players name the stream in several ways once it is set up: there the session's id decides."""


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What all connections of a worker's server share."""

    served: Served
    refused_logins: RefusedLogins
    stranger: Credentials
    """A login that nobody knows: unknown accounts are judged by it, in the same time."""
    now: Callable[[], datetime]
    bounds: Bounds
    budget: MediaBudget
    udp_ports: range | None
    turned_away: TurnedAway
    strangers: Share
    """Reads of those that have not logged in: a thousand of them at the same moment delay no media."""
    is_check: Callable[[str, str], bool]
    """Whether a ticket is of a check of ours, of the stream at that path; uses the ticket up."""
    on_connected: Callable[["CentreOfConnection"], None]
    on_admitted: Callable[["CentreOfConnection"], None]
    on_disconnected: Callable[["CentreOfConnection"], None]


class CentreOfConnection(StrangerConnection):
    """A centre, as far as this connection is concerned: at most one session, of one camera."""

    def __init__(
        self, parts: ServerParts, passed: Passed | None = None, evidence: ReceivedEvidence | None = None
    ) -> None:
        """Serve a centre; `passed`, `evidence`: of one connected to another worker, which has passed it on."""
        super().__init__(Patience(SESSION_TIMEOUT_S, ends_silent_tcp=False), parts.strangers)
        self._parts, self._passed, self._evidence = parts, passed, evidence
        self.max_unread_bytes = parts.bounds.buffer_bytes + _SPARE_BYTES
        self.asker: Asker
        self._admission: Admission
        self._passage: Passage | None = None
        """To the holder of the camera, where that is another worker."""
        self._udp_of_front: str | None = None
        """What the worker in front has opened for the SETUP that is answered now."""
        self._passed_tracks: list[PassedUdpTrack] = []
        self._sender: MediaSender
        self._session: PlaySession | None = None
        self._offer: Offer | None = None
        """Whose camera is set up, or is asked for last."""
        self._set_up_source: CameraSource | None = None
        self._playing: CentreSession | None = None
        self.stopping = False
        """This worker ends: so does the connection, by no wish of its centre."""
        self.has_left = False
        """By its own wish, as the worker in front said."""
        self._login_timer: asyncio.TimerHandle | None = None
        self._check_timer: asyncio.TimerHandle | None = None

    @property
    def carries_media(self) -> bool:
        if self._passage is not None:
            # The holder judges its silence, and answers what is nonsense.
            return True
        return self._playing is not None and not self._playing.over_udp

    def connected(self) -> None:
        tls, parts, passed = self.transport.get_extra_info("ssl_object"), self._parts, self._passed
        tls_version = tls.version() if tls is not None else None
        if passed is not None:
            self.asker = Asker(passed.peer, passed.tls)
            self._admission = PassedAdmission(passed, self.asker, parts.turned_away)
        else:
            self.asker = Asker(str(self.transport.get_extra_info("peername")[0]), tls_version)
            self._admission = LoginAdmission(
                parts.served, parts.refused_logins, parts.stranger, self.asker, parts.now, parts.turned_away
            )
        self._sender = MediaSender(
            self.transport,
            self.note_alive,
            udp_ports=parts.udp_ports,
            open_udp=self._open_passed_udp if passed is not None else None,
        )
        self._login_timer = self._loop.call_later(HANDSHAKE_S, self._end_if_strange)
        parts.on_connected(self)
        if passed is not None:
            self.become_known()
            parts.on_admitted(self)

    def disconnected(self) -> None:
        if self._login_timer is not None:
            self._login_timer.cancel()
        if self._check_timer is not None:
            self._check_timer.cancel()
        if self._passage is not None:
            self._passage.end(centre_left=not self.stopping)
        self._end_session()
        self._leave_place()
        self._sender.close()
        self._admission.end()
        self._parts.on_disconnected(self)

    def close_soon(self) -> None:
        """End the connection in order; who plays hears the end of the media first (RTCP BYE)."""
        if self.stopping and self._passage is not None and self._passage.end_by_the_holder():
            return
        if self._playing is not None and not self._playing.ended:
            self._playing.end(reset=False)
        else:
            super().close_soon()

    def pause_writing(self) -> None:
        """Leave media out and pause the passage: the transport's buffer crossed its bound."""
        if self._playing is not None:
            self._playing.buffer_is_full()
        if self._passage is not None:
            self._passage.pause()

    def resume_writing(self) -> None:
        """Resume the passage: the transport's buffer is nearly empty again."""
        if self._passage is not None:
            self._passage.resume()

    def on_media(self, batch: MediaBatch) -> None:
        """Receiver reports over TCP: the holder of the camera ignores them too, and its session lives by them."""
        if self._passage is not None:
            self._passage.send_from_centre(batch.data)

    def receive_request(self, request: Request) -> None:
        """Handle a whole request. Amid a passage nothing else may write to the centre than its holder."""
        if self._passage is not None:
            self._passage.send_request(request)
            return
        super().receive_request(request)

    def note_report(self, report: Report) -> None:
        """Note what the centre, which another worker is in front of, reports to have of media over UDP."""
        self.note_alive()
        for track in self._passed_tracks:
            if track.channel == report.channel:
                track.note_report(report)

    def reply_to(self, request: Request) -> Reply | None:
        self.asker.agent = _readable(request.headers.get("User-Agent")) or self.asker.agent
        if not self.asker.is_check and self._offer is None and shows_ticket(request, self._parts.is_check):
            self.asker.is_check = True
            self._check_timer = self._loop.call_later(CHECK_LASTS_S, self.close_soon)
        self._udp_of_front = request.headers.get(UDP_OF_FRONT) if self._passed is not None else None
        admitted = self._admission.admitted
        if request.method in _OPEN or (request.method in _KEEPING_ALIVE and admitted):
            # A player that gets 401 amid its stream would end it, and nothing is changed here.
            return self._answer(request)
        camera = self._parts.served.find(target_of(request.uri))
        denial = self._admission.find_denial(request, camera, self._loop.time())
        if self._admission.admitted and not admitted:
            self.become_known()
            self._parts.on_admitted(self)
        if denial is not None:
            return denial
        if isinstance(camera, RemoteOffer):
            return self._pass_on(request, camera)
        offer = camera
        if offer is None and request.method in _OF_SESSION:
            offer = self._offer
        if offer is None:
            return Reply(404)
        if request.method in ASKING:
            note_request(offer, self.asker)
            if offer.source is None:
                return Reply(503, (RETRY_AFTER,))
        if self._session is None or not self._session.state.tracks:
            self._begin_with(offer)
        elif request.method == "PLAY" and self._set_up_source is not offer.source:
            # The camera began anew: what was set up is not what would be sent.
            self._session.end()
            return Reply(503, (RETRY_AFTER,), close=True)
        return self._answer(request)

    # What PlaySession plays.

    def find_presentation(self, uri: str) -> Presentation | None:
        """Find what is at an address for this centre."""
        offer = self._parts.served.find(target_of(uri)) or self._offer
        if not isinstance(offer, Offer) or offer.source is None:
            return None
        if self._offer is not None and offer.serving.account != self._offer.serving.account:
            return None
        return present(offer.source, offer.path)

    def refuse_session(self) -> Reply | None:
        """Return why no further session may be set up; None when it may."""
        offer = self._offer
        if offer is None or self.asker.is_check or offer.take_place(self):
            return None
        self._parts.turned_away[Reason.SESSION_LIMIT] += 1
        refuse(offer, Cause.SESSION_LIMIT, self.asker)
        return Reply(453)

    def ssrc_of(self, track: int) -> int | None:
        """Find the sender of the track's packets, where a kept packet shows it."""
        source = self._offer.source if self._offer is not None else None
        first = find_first_packets(source).get(track) if source is not None else None
        return first.ssrc if first is not None else None

    def begin_media(self) -> Mapping[int, tuple[int, int]]:
        """Begin to send once the answer is written; return what is sent first."""
        offer = self._offer
        source = offer.source if offer is not None else None
        if offer is None or source is None:
            return {}
        self.has_left = False
        if self._playing is None:
            parts = self._parts
            self._playing = CentreSession(
                self,
                source,
                self._sender,
                since=parts.now(),
                bounds=parts.bounds,
                budget=parts.budget,
                acknowledgement=self._new_acknowledgement(),
            )
            if not self.asker.is_check:
                offer.on_began(self._playing)
        return {number: (first.sequence, first.timestamp) for number, first in find_first_packets(source).items()}

    def pause_media(self) -> None:
        """Send nothing more. Harmless when nothing is sent."""
        # A centre that pauses receives nothing: it has left, and comes back with PLAY.
        self.has_left = True
        self._end_session()

    def _answer(self, request: Request) -> Reply:
        session = self._session
        if session is None:
            session = self._new_session(TransportPolicy())
        reply = session.reply_to(request)
        if request.method == "SETUP" and reply.status == 461 and self._offer is not None:
            self._parts.turned_away[Reason.TRANSPORT_UNSUPPORTED] += 1
            refuse(self._offer, Cause.TRANSPORT_UNSUPPORTED, self.asker)
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
        udp = (
            ServedTransport.UDP in allowed
            and (self._parts.udp_ports is not None or self._passed is not None)
            and self.asker.tls_version is None
        )
        tcp = ServedTransport.TCP in allowed or self.asker.is_check
        self._session = self._new_session(TransportPolicy(tcp=tcp, udp=udp))

    def _new_session(self, policy: TransportPolicy) -> PlaySession:
        return PlaySession(self, self._sender, SessionState(self.session_id, SESSION_TIMEOUT_S), policy)

    def _end_session(self) -> None:
        """End the session: the centre has left, whatever of the connection is still there."""
        playing, self._playing = self._playing, None
        if playing is not None and self._offer is not None:
            playing.connection_ended()
            if not self.asker.is_check:
                # A centre that leaves the worker in front is said to have left; a front that dies says nothing.
                self._offer.on_ended(playing, self._passed is not None and not self.has_left)

    def _pass_on(self, request: Request, camera: RemoteOffer) -> Reply | None:
        """Let the holder of the camera answer, and all that comes after it."""
        if self._session is not None and self._session.state.tracks:
            # One connection plays one camera.
            return Reply(455)
        if camera.address is None:
            self._parts.turned_away[Reason.NO_HOLDER] += 1
            note_request(camera, self.asker)
            return Reply(503, (RETRY_AFTER,))
        ticket = camera.fleet.write_ticket(camera, self.asker.peer, self.asker.tls_version)

        def unanswered() -> None:
            self._passage = None
            self._parts.turned_away[Reason.NO_HOLDER] += 1
            note_request(camera, self.asker)
            self._write_reply(Reply(503, (RETRY_AFTER,)), usable_cseq(request))
            self.close_soon()

        udp = ServedTransport.UDP in camera.serving.transports and self.asker.tls_version is None
        self._passage = Passage(self, camera.address, ticket, unanswered, self._parts.udp_ports if udp else None)
        self._passage.send_request(request)
        return None

    def _open_passed_udp(self, ssrc: int | None) -> PassedUdpTrack | None:
        if self._udp_of_front is None:
            return None
        track = PassedUdpTrack(self.transport, self._udp_of_front, ssrc)
        self._passed_tracks.append(track)
        return track

    def _new_acknowledgement(self) -> Acknowledgement:
        if self._evidence is None:
            return TcpAcknowledgement(self.transport)
        assert isinstance(self.transport, PassedTransport), "it was passed on"
        return PassedAcknowledgement(self._evidence, self.transport)

    def _end_if_strange(self) -> None:
        """Nobody needs ten seconds to log in."""
        if not self._admission.admitted:
            self.close_soon()


def _readable(text: str | None) -> str | None:
    """Shorten what a peer writes of itself, for logs and pages, and drop signs that a terminal obeys."""
    if text is None:
        return None
    return "".join(sign for sign in text if sign.isprintable())[:100] or None

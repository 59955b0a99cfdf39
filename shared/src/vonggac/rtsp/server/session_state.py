"""One session that plays, as a value, and what each request makes of it: pure (RFC 2326 §10, appendix A.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl, strip_userinfo
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.server.transport_policy import TransportPolicy
from vonggac.rtsp.wire.messages import Request, parse_session
from vonggac.rtsp.wire.transport import Transport, parse_transports

METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
WHOLE = -1
"""The index of the stream itself among its tracks."""
_NOT_SERVED = frozenset({"ANNOUNCE", "RECORD", "REDIRECT"})


class Step(StrEnum):
    """What the edge does for a decision before the answer is whole."""

    OPEN_TRACK = "open_track"
    PLAY = "play"
    PAUSE = "pause"
    END = "end"


@dataclass(frozen=True, slots=True)
class Presentation:
    """What is played at one address. `target`: path and query without a slash at the end.

    `controls`: the last part of each track's address, in the order of the description.
    """

    target: str
    sdp: bytes
    controls: tuple[str, ...]

    def find_track(self, uri: str) -> int | None:
        """Find the track that an address names: WHOLE for the stream itself, None for an address of nothing here."""
        target = target_of(uri)
        if target == self.target:
            return WHOLE
        parent, slash, control = (target or "").rpartition("/")
        return self.controls.index(control) if slash and parent == self.target and control in self.controls else None

    def base_of(self, uri: str) -> str:
        """Write the stream's address as the client writes it, without a login and without the track."""
        base = strip_userinfo(uri).rstrip("/")
        return base if self.find_track(uri) in (WHOLE, None) else base.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class SessionState:
    """`tracks`: the transports in use by track. Without any there is no session."""

    session_id: str
    timeout_s: int
    tracks: Mapping[int, Transport] = field(default_factory=dict)
    playing: bool = False

    @property
    def header(self) -> tuple[str, str]:
        return "Session", f"{self.session_id};timeout={self.timeout_s}"

    @property
    def over_udp(self) -> bool:
        """Whether any track leaves the connection: its end says nothing of the client then."""
        return any(each.interleaved is None for each in self.tracks.values())

    def with_track(self, index: int, transport: Transport) -> "SessionState":
        return replace(self, tracks={**self.tracks, index: transport})

    def with_playing(self, *, playing: bool) -> "SessionState":
        return replace(self, playing=playing)


@dataclass(frozen=True, slots=True)
class Decision:
    """`step` is what the edge does; without one `reply` is the whole answer. `offers` are OPEN_TRACK's, best first."""

    reply: Reply
    step: Step | None = None
    track: int = 0
    offers: tuple[Transport, ...] = ()


def decide(
    state: SessionState, request: Request, presentation: Presentation | None, policy: TransportPolicy
) -> Decision:
    """Decide one request of a client that may play. `presentation`: what is at its address, None for nothing.

    GET_PARAMETER and SET_PARAMETER keep a session alive, with or without one, and change nothing: 200.
    """
    method = request.method
    if method == "OPTIONS":
        return Decision(Reply(200, (("Public", METHODS), *_if_named(state))))
    if method == "DESCRIBE":
        return _describe(request, presentation)
    if method == "SETUP":
        return _set_up(state, request, presentation, policy)
    if method in ("GET_PARAMETER", "SET_PARAMETER"):
        known = _is_of(state, request, required=False)
        return Decision(Reply(200, _if_named(state)) if known else Reply(454))
    if method in ("PLAY", "PAUSE", "TEARDOWN"):
        return _control(state, request)
    return Decision(Reply(405 if method in _NOT_SERVED else 501, (("Allow", METHODS),)))


def target_of(uri: str) -> str | None:
    """Path and query of an address without a slash at the end; None when it is no RTSP address."""
    try:
        return RtspUrl.parse(uri).target.rstrip("/")
    except MalformedError:
        return None


def play_reply(
    state: SessionState, base: str, presentation: Presentation, begins: Mapping[int, tuple[int, int]]
) -> Reply:
    """Build the answer to PLAY. `begins`: sequence number and timestamp of each track's next packet (§12.33).

    What is not in `begins` is not named: a wrong number is worse than none.
    """
    info = ",".join(
        f"url={base}/{presentation.controls[index]};seq={begins[index][0]};rtptime={begins[index][1]}"
        for index in sorted(state.tracks)
        if index in begins
    )
    return Reply(200, (state.header, ("Range", "npt=0.000-"), *((("RTP-Info", info),) if info else ())))


def set_up_reply(state: SessionState, transport: Transport) -> Reply:
    """Build the answer to SETUP."""
    return Reply(200, (("Transport", f'{transport.encode()};mode="PLAY"'), state.header))


def _describe(request: Request, presentation: Presentation | None) -> Decision:
    if presentation is None or presentation.find_track(request.uri) != WHOLE:
        return Decision(Reply(404))
    base = presentation.base_of(request.uri)
    headers = (("Content-Base", f"{base}/"), ("Content-Type", "application/sdp"))
    return Decision(Reply(200, headers, presentation.sdp))


def _set_up(
    state: SessionState, request: Request, presentation: Presentation | None, policy: TransportPolicy
) -> Decision:
    index = presentation.find_track(request.uri) if presentation is not None else None
    if presentation is None or index is None:
        return Decision(Reply(404))
    if not _is_of(state, request, required=bool(state.tracks)):
        return Decision(Reply(454))
    if state.playing:
        return Decision(Reply(455))
    if index == WHOLE:
        if len(presentation.controls) > 1:
            return Decision(Reply(459))
        index = 0
    try:
        offers = parse_transports(request.headers.get("Transport") or "")
    except MalformedError:
        return Decision(Reply(400))
    chosen = policy.choose(offers, index, state.tracks)
    return Decision(Reply(461), Step.OPEN_TRACK if chosen else None, index, chosen)


def _control(state: SessionState, request: Request) -> Decision:
    """PLAY, PAUSE and TEARDOWN: of this session, and of one that is set up."""
    if not _is_of(state, request, required=True):
        return Decision(Reply(454))
    if request.method == "TEARDOWN":
        return Decision(Reply(200), Step.END)
    return Decision(Reply(200, (state.header,)), Step.PLAY if request.method == "PLAY" else Step.PAUSE)


def _is_of(state: SessionState, request: Request, *, required: bool) -> bool:
    """Whether the request names this session; one without a name passes unless it is `required`."""
    given = request.headers.get("Session")
    if given is None:
        return not required
    return bool(state.tracks) and parse_session(given)[0] == state.session_id


def _if_named(state: SessionState) -> tuple[tuple[str, str], ...]:
    return (state.header,) if state.tracks else ()

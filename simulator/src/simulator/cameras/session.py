"""A client's connection to a camera: one RTSP session that plays (RFC 2326)."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from simulator.cameras.description import camera_sdp, control_of
from simulator.cameras.session_tracks import SendingCamera, SessionTracks
from simulator.config import CameraConfig
from simulator.devices.faults import CameraFault, CameraFaultName
from simulator.rtsp.connection import Reply, ServerConnection
from simulator.rtsp.flood import Flood
from simulator.rtsp.login import Lockout, Login
from simulator.rtsp.nonsense import garbage, huge_answer
from vonggac.media.rtcp import build_goodbye
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl
from vonggac.rtsp.wire.messages import Request
from vonggac.rtsp.wire.transport import parse_transports
from vonggac.telemetry import get_logger

log = get_logger(__name__)

_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
_GARBAGE_ANSWER_BYTES = 512


class CameraState(SendingCamera, Protocol):
    """The camera that a session belongs to: its configuration, its feed, its fault and its counters."""

    config: CameraConfig
    lockout: Lockout | None
    logins_failed: int
    sessions_total: int

    @property
    def sessions(self) -> int: ...

    @property
    def clock_offset_s(self) -> float: ...

    @property
    def is_silent(self) -> bool: ...

    def url(self) -> str: ...

    def has_fault(self, *names: CameraFaultName) -> bool: ...

    def fault_if(self, name: CameraFaultName) -> CameraFault | None: ...

    def add_connection(self, connection: "CameraSession") -> None: ...

    def remove_connection(self, connection: "CameraSession") -> None: ...


class CameraSession(ServerConnection):
    """At most one session a connection, tracks over TCP or UDP."""

    def __init__(self, camera: CameraState) -> None:
        super().__init__(camera.config.session_timeout_s)
        self._camera = camera
        self._login = Login(camera.config)
        self._tracks: SessionTracks
        self._playing = False
        self._fault_timer: asyncio.TimerHandle | None = None
        self._flood: Flood | None = None
        self._handlers: dict[str, Callable[[Request], Reply]] = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "GET_PARAMETER": self._parameter,
            "SET_PARAMETER": self._parameter,
            "TEARDOWN": self._teardown,
        }

    @property
    def is_set_up(self) -> bool:
        return bool(self._tracks)

    def connected(self) -> None:
        self._tracks = SessionTracks(self._camera, self.transport, self._note_report)
        self._camera.add_connection(self)
        if self._camera.has_fault(CameraFaultName.OFF, CameraFaultName.BLACK_HOLE):
            self.stop_reading()

    def disconnected(self) -> None:
        self._end()
        self._camera.remove_connection(self)

    def delay_s(self, request: Request) -> float:
        slow = self._camera.fault_if(CameraFaultName.SLOW_START)
        start_s = slow.delay_s if slow is not None and request.method in ("DESCRIBE", "PLAY") else 0.0
        return self._camera.config.answer_delay_s + start_s

    def reply_to(self, request: Request) -> Reply | None:
        camera = self._camera
        if camera.has_fault(CameraFaultName.GARBAGE):
            self.transport.write(garbage(_GARBAGE_ANSWER_BYTES))
            return None
        denial = self._denial(request)
        if denial is not None:
            return denial
        huge = camera.fault_if(CameraFaultName.HUGE_FRAME)
        if huge is not None and huge.chosen_kind != "access_unit" and request.method == "DESCRIBE":
            self.transport.write(huge_answer(huge.chosen_kind, request.headers.get("CSeq") or "0"))
            return None
        handler = self._handlers.get(request.method)
        if handler is None:
            return Reply(501 if request.method not in ("ANNOUNCE", "RECORD") else 405, (("Allow", _METHODS),))
        return handler(request)

    @property
    def clock_offset_s(self) -> float:
        return self._camera.clock_offset_s

    def follow_feed(self) -> None:
        """Subscribe to the feed or leave it, as the session and the camera's fault demand."""
        self._tracks.begin_fault()
        if self._fault_timer is not None:
            self._fault_timer.cancel()
            self._fault_timer = None
        if self._playing and not self._camera.is_silent and not self.transport.is_closing():
            self._camera.feed.subscribe(self._tracks)
        else:
            self._camera.feed.unsubscribe(self._tracks)
        if self._flood is not None:
            self._flood.stop()
            self._flood = None
        flooding = self._camera.fault_if(CameraFaultName.FLOOD)
        if self._playing and flooding is not None and flooding.chosen_kind is not None:
            self._flood = Flood(self.transport, flooding.chosen_kind, flooding.rate_mbps)
        ended = self._camera.fault_if(CameraFaultName.ENDED)
        if self._playing and ended is not None:
            self._fault_timer = self._loop.call_later(ended.after_s, self._end_by_camera, ended.chosen_kind)

    def _denial(self, request: Request) -> Reply | None:
        """The answer to a request that is refused."""
        camera, fault = self._camera, self._camera.fault
        lockout, has_login = camera.lockout, request.headers.get("Authorization") is not None
        if lockout is not None and lockout.locked and has_login:
            camera.logins_failed += 1
            forbidden = fault is not None and fault.chosen_kind == "403"
            return Reply(403) if forbidden else Reply(401, (self._login.challenge,))
        failures = self._login.failures
        used_up = fault is not None and fault.fault is CameraFaultName.SESSION_LIMIT and fault.chosen_kind == "401"
        always = camera.has_fault(CameraFaultName.AUTH) or (used_up and not self.is_set_up)
        denial = self._login.denial(request, always=always)
        failed = self._login.failures > failures
        camera.logins_failed += failed
        if lockout is not None and failed:
            lockout.failed()
        elif lockout is not None and has_login:
            lockout.succeeded()
        return denial

    def _end_by_camera(self, kind: str | None) -> None:
        """The camera ends the session by itself (RFC 2326 has no notice; servers send 2101)."""
        if self.transport.is_closing() or not self.is_set_up:
            return
        if kind == "close":
            self.transport.close()
            return
        session = ("Session", self.session_id)
        if kind == "bye":
            for track, clock in enumerate(self._camera.feed.clocks):
                self._tracks.send_report(track, build_goodbye(clock.ssrc))
        elif kind == "teardown":
            self.send_request("TEARDOWN", self._camera.url(), [session])
        else:
            self.send_request("ANNOUNCE", self._camera.url(), [session, ("x-notice", "2101 End-of-Stream Reached")])
        self._end()

    def _options(self, request: Request) -> Reply:
        return Reply(200, (("Public", _METHODS),))

    def _describe(self, request: Request) -> Reply:
        if self._track_index(request.uri) != -1:
            return Reply(404)
        redirect = self._camera.fault_if(CameraFaultName.REDIRECT)
        if redirect is not None:
            return Reply(302, (("Location", redirect.location or ""),))
        sdp = camera_sdp([clock.track for clock in self._camera.feed.clocks], self._camera.id)
        headers = (("Content-Base", f"{request.uri.rstrip('/')}/"), ("Content-Type", "application/sdp"))
        return Reply(200, headers, sdp)

    def _setup(self, request: Request) -> Reply:
        camera = self._camera
        index = self._track_index(request.uri)
        if index is None:
            return Reply(404)
        if not self._session_fits(request, required=self.is_set_up):
            return Reply(454)
        if self._playing:
            return Reply(455)
        limit = camera.fault_if(CameraFaultName.SESSION_LIMIT)
        if not self.is_set_up and (limit is not None or camera.sessions >= camera.config.max_sessions):
            return Reply(503 if limit is not None and limit.chosen_kind == "503" else 453)
        try:
            offers = parse_transports(request.headers.get("Transport") or "")
        except MalformedError:
            return Reply(400)
        is_new = not self.is_set_up
        answer = next(
            (taken for offer in offers if (taken := self._tracks.set_up(max(index, 0), offer)) is not None), None
        )
        if answer is None:
            return Reply(461)
        camera.sessions_total += is_new
        return Reply(200, (("Transport", f'{answer.encode()};mode="PLAY"'), self._session_header()))

    def _play(self, request: Request) -> Reply:
        if not self._session_fits(request, required=True):
            return Reply(454)
        if not self.is_set_up:
            return Reply(455)
        self._playing = True
        self.follow_feed()
        stall = self._camera.fault_if(CameraFaultName.STALL)
        if stall is not None and stall.after_s > 0:
            self._camera.feed.subscribe(self._tracks)
            self._fault_timer = self._loop.call_later(stall.after_s, self._camera.feed.unsubscribe, self._tracks)
        clocks = self._camera.feed.clocks
        base = request.uri.rstrip("/")
        info = ",".join(
            f"url={base}/{control_of(index)};seq={clocks[index].sequence};rtptime={clocks[index].timestamp}"
            for index in self._tracks.indexes
        )
        return Reply(200, (self._session_header(), ("Range", "npt=0.000-"), ("RTP-Info", info)))

    def _pause(self, request: Request) -> Reply:
        if not self._session_fits(request, required=True):
            return Reply(454)
        self._playing = False
        self.follow_feed()
        return Reply(200, (self._session_header(),))

    def _parameter(self, request: Request) -> Reply:
        if not self._session_fits(request, required=False):
            return Reply(454)
        return Reply(200, (self._session_header(),) if self.is_set_up else ())

    def _teardown(self, request: Request) -> Reply:
        if not self._session_fits(request, required=True):
            return Reply(454)
        self._end()
        return Reply(200)

    def _end(self) -> None:
        """End the session; the connection may set up another."""
        self._playing = False
        self.follow_feed()
        self._tracks.close()

    def _session_fits(self, request: Request, *, required: bool) -> bool:
        given = request.headers.get("Session")
        if given is None:
            return not required
        return self.is_set_up and given.split(";")[0].strip() == self.session_id

    def _session_header(self) -> tuple[str, str]:
        return "Session", f"{self.session_id};timeout={self._camera.config.session_timeout_s}"

    def _track_index(self, uri: str) -> int | None:
        """The track that a URI names: -1 for the whole stream, None for a URI of nothing here."""
        if self._camera.has_fault(CameraFaultName.NOT_FOUND):
            return None
        try:
            target = RtspUrl.parse(uri).target.rstrip("/")
        except MalformedError:
            return None
        path = self._camera.config.path.rstrip("/")
        targets = {path: -1} | {f"{path}/{control_of(index)}": index for index in range(len(self._camera.feed.clocks))}
        return targets.get(target)

    def _note_report(self) -> None:
        self.last_heard = self._loop.time()

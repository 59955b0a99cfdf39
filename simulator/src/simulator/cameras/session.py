"""A client's connection to a camera: one RTSP session that plays (RFC 2326), with the camera's faults."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from simulator.cameras.description import camera_sdp, control_of
from simulator.cameras.session_tracks import SendingCamera, SessionTracks
from simulator.config import CameraConfig
from simulator.devices.faults import CameraFault, CameraFaultName
from simulator.rtsp.connection import DeviceConnection
from simulator.rtsp.flood import Flood
from simulator.rtsp.login import Lockout, account_of
from simulator.rtsp.nonsense import garbage, huge_answer
from vonggac.media.rtcp import build_goodbye
from vonggac.rtsp.server.liveness import Patience
from vonggac.rtsp.server.login import Login
from vonggac.rtsp.server.play_session import PlaySession
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.server.session_state import Presentation, SessionState
from vonggac.rtsp.server.transport_policy import TransportPolicy
from vonggac.rtsp.wire.messages import Request

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


class CameraSession(DeviceConnection):
    """At most one session a connection, tracks over TCP or UDP."""

    def __init__(self, camera: CameraState) -> None:
        config = camera.config
        super().__init__(Patience(config.session_timeout_s, ends_silent_tcp=config.ends_silent_tcp))
        self._camera = camera
        self._login = Login(account_of(config), secure=config.tls)
        self._tracks: SessionTracks
        self._session: PlaySession
        self._fault_timer: asyncio.TimerHandle | None = None
        self._flood: Flood | None = None

    @property
    def is_set_up(self) -> bool:
        return bool(self._session.state.tracks)

    @property
    def carries_media(self) -> bool:
        state = self._session.state
        return state.playing and not state.over_udp

    def connected(self) -> None:
        self._tracks = SessionTracks(self._camera, self.transport, self.note_alive)
        config = self._camera.config
        policy = TransportPolicy(tcp="tcp" in config.transports, udp="udp" in config.transports and not config.tls)
        state = SessionState(self.session_id, config.session_timeout_s)
        self._session = PlaySession(self, self._tracks.sender, state, policy)
        self._camera.add_connection(self)
        if self._camera.has_fault(CameraFaultName.OFF, CameraFaultName.BLACK_HOLE):
            self.stop_reading()

    def disconnected(self) -> None:
        self._session.end()
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
        redirect = camera.fault_if(CameraFaultName.REDIRECT)
        if redirect is not None and request.method == "DESCRIBE":
            return Reply(302, (("Location", redirect.location or ""),))
        was_set_up = self.is_set_up
        reply = self._session.reply_to(request)
        camera.sessions_total += self.is_set_up and not was_set_up
        return reply

    def find_presentation(self, uri: str) -> Presentation | None:
        if self._camera.has_fault(CameraFaultName.NOT_FOUND):
            return None
        tracks = [clock.track for clock in self._camera.feed.clocks]
        controls = tuple(control_of(index) for index in range(len(tracks)))
        return Presentation(self._camera.config.path.rstrip("/"), camera_sdp(tracks, self._camera.id), controls)

    def refuse_session(self) -> Reply | None:
        camera = self._camera
        limit = camera.fault_if(CameraFaultName.SESSION_LIMIT)
        if limit is None and camera.sessions < camera.config.max_sessions:
            return None
        return Reply(503 if limit is not None and limit.chosen_kind == "503" else 453)

    def ssrc_of(self, track: int) -> int:
        return self._camera.feed.clocks[track].ssrc

    def begin_media(self) -> Mapping[int, tuple[int, int]]:
        self.follow_feed()
        stall = self._camera.fault_if(CameraFaultName.STALL)
        if stall is not None and stall.after_s > 0:
            self._camera.feed.subscribe(self._tracks)
            self._fault_timer = self._loop.call_later(stall.after_s, self._camera.feed.unsubscribe, self._tracks)
        return {index: (clock.sequence, clock.timestamp) for index, clock in enumerate(self._camera.feed.clocks)}

    def pause_media(self) -> None:
        self.follow_feed()

    @property
    def clock_offset_s(self) -> float:
        return self._camera.clock_offset_s

    def follow_feed(self) -> None:
        """Subscribe to the feed or leave it, as the session and the camera's fault demand."""
        self._tracks.begin_fault()
        if self._fault_timer is not None:
            self._fault_timer.cancel()
            self._fault_timer = None
        if self._session.state.playing and not self._camera.is_silent and not self.transport.is_closing():
            self._camera.feed.subscribe(self._tracks)
        else:
            self._camera.feed.unsubscribe(self._tracks)
        if self._flood is not None:
            self._flood.stop()
            self._flood = None
        flooding = self._camera.fault_if(CameraFaultName.FLOOD)
        if self._session.state.playing and flooding is not None and flooding.chosen_kind is not None:
            self._flood = Flood(self.transport, flooding.chosen_kind, flooding.rate_mbps)
        ended = self._camera.fault_if(CameraFaultName.ENDED)
        if self._session.state.playing and ended is not None:
            self._fault_timer = self._loop.call_later(ended.after_s, self._end_by_camera, ended.chosen_kind)

    def _denial(self, request: Request) -> Reply | None:
        """Build the answer to a request that is refused; None: it is not."""
        camera, fault = self._camera, self._camera.fault
        lockout, has_login = camera.lockout, request.headers.get("Authorization") is not None
        if lockout is not None and lockout.locked and has_login:
            camera.logins_failed += 1
            forbidden = fault is not None and fault.chosen_kind == "403"
            return Reply(403) if forbidden else self._login.refuse(self._loop.time())
        failures = self._login.failures
        used_up = fault is not None and fault.fault is CameraFaultName.SESSION_LIMIT and fault.chosen_kind == "401"
        always = camera.has_fault(CameraFaultName.AUTH) or (used_up and not self.is_set_up)
        denial = self._login.denial(request, self._loop.time(), always=always)
        failed = self._login.failures > failures
        camera.logins_failed += failed
        if lockout is not None and failed:
            lockout.failed()
        elif lockout is not None and has_login:
            lockout.succeeded()
        return denial

    def _end_by_camera(self, kind: str | None) -> None:
        """End the session as the camera does by itself (RFC 2326 has no notice; servers send 2101)."""
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
        self._session.end()

"""A client's connection to a camera: one RTSP session that plays (RFC 2326)."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from simulator.cameras.description import camera_sdp, control_of
from simulator.cameras.feed import Feed
from simulator.config import CameraConfig
from simulator.devices.faults import CameraFault, CameraFaultName
from simulator.packets import Frame
from simulator.rtsp.connection import Reply, ServerConnection
from simulator.rtsp.login import Lockout, Login
from simulator.rtsp.nonsense import HugeUnit, Junk, damaged, garbage, huge_answer, split_interleaved
from simulator.rtsp.udp import UdpPortsError, UdpTrack
from vonggac.media.rtcp import build_goodbye
from vonggac.media.rtp import interleave
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl
from vonggac.rtsp.wire.messages import Request
from vonggac.rtsp.wire.transport import Transport, parse_transports
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MAX_WRITE_BUFFER_BYTES = 1 << 20
"""A slow reader's frames beyond this are dropped, until a keyframe finds room."""
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
_GARBAGE_ANSWER_BYTES = 512
_SPOILS_MEDIA = frozenset(
    (
        CameraFaultName.GARBAGE,
        CameraFaultName.MID_GARBAGE,
        CameraFaultName.DAMAGED_KEYFRAMES,
        CameraFaultName.HUGE_FRAME,
    )
)


class CameraState(Protocol):
    """The camera that a session belongs to: its configuration, its feed, its fault and its counters."""

    id: str
    config: CameraConfig
    fault: CameraFault | None
    lockout: Lockout | None
    logins_failed: int
    sessions_total: int
    frames_dropped: int

    @property
    def feed(self) -> Feed: ...

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
        self._channels: dict[int, tuple[int, int]] = {}
        self._udp: dict[int, UdpTrack] = {}
        self._playing = False
        self._skipping: set[int] = set()
        self._fault_timer: asyncio.TimerHandle | None = None
        self._junk: Junk | None = None
        self._huge: HugeUnit | None = None
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
        return bool(self._channels or self._udp)

    @property
    def is_playing(self) -> bool:
        return self._playing

    def connected(self) -> None:
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
        """Take media, or stop taking it, as the session and the camera's fault demand."""
        self._junk = self._huge = None
        if self._fault_timer is not None:
            self._fault_timer.cancel()
            self._fault_timer = None
        if self._playing and not self._camera.is_silent and not self.transport.is_closing():
            self._camera.feed.subscribe(self)
        else:
            self._camera.feed.unsubscribe(self)
        ended = self._camera.fault_if(CameraFaultName.ENDED)
        if self._playing and ended is not None:
            self._fault_timer = self._loop.call_later(ended.after_s, self._end_by_camera, ended.chosen_kind)

    def send_frame(self, track: int, frame: Frame) -> None:
        udp = self._udp.get(track)
        channels = self._channels.get(track)
        fault = self._camera.fault
        if udp is not None:
            if fault is not None and fault.fault in _SPOILS_MEDIA:
                udp.send_packets(split_interleaved(self._spoilt(fault, track, frame, frame.channel)))
            else:
                udp.send_packets(frame.packets())
        elif channels is not None and self._has_room(track, frame):
            if fault is not None and fault.fault in _SPOILS_MEDIA:
                self.transport.write(self._spoilt(fault, track, frame, channels[0]))
            else:
                self.transport.write(frame.data if channels[0] == frame.channel else frame.on_channel(channels[0]))

    def send_report(self, track: int, report: bytes) -> None:
        udp = self._udp.get(track)
        channels = self._channels.get(track)
        if udp is not None:
            udp.send_report(report)
        elif channels is not None and track not in self._skipping:
            self.transport.write(interleave(channels[1], report))

    def _denial(self, request: Request) -> Reply | None:
        """The answer to a request that may not pass."""
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

    def _spoilt(self, fault: CameraFault, track: int, frame: Frame, channel: int) -> bytes | bytearray:
        """What is sent in place of a frame."""
        if fault.fault is CameraFaultName.GARBAGE:
            return garbage(len(frame.data))
        if fault.fault is CameraFaultName.MID_GARBAGE:
            self._junk = self._junk or Junk(fault.chosen_kind)
            return self._junk.spoil(frame, channel)
        media = self._camera.feed.clocks[track].track
        if fault.fault is CameraFaultName.DAMAGED_KEYFRAMES:
            return damaged(frame, channel) if media.media == "video" else frame.on_channel(channel)
        if media.media != "video" or fault.chosen_kind != "access_unit":
            return frame.on_channel(channel)
        self._huge = self._huge or HugeUnit(media.codec, fault.size_mb << 20)
        return self._huge.next_chunk(frame, channel)

    def _end_by_camera(self, kind: str | None) -> None:
        """The camera ends the session of its own accord (RFC 2326 has no notice; 2101 is what servers send)."""
        if self.transport.is_closing() or not self.is_set_up:
            return
        if kind == "close":
            self.transport.close()
            return
        session = ("Session", self.session_id)
        if kind == "bye":
            for track, clock in enumerate(self._camera.feed.clocks):
                self.send_report(track, build_goodbye(clock.ssrc))
        elif kind == "teardown":
            self.send_request("TEARDOWN", self._camera.url(), [session])
        else:
            self.send_request("ANNOUNCE", self._camera.url(), [session, ("x-notice", "2101 End-of-Stream Reached")])
        self._end()

    def _has_room(self, track: int, frame: Frame) -> bool:
        if self.transport.get_write_buffer_size() > MAX_WRITE_BUFFER_BYTES:
            self._skipping.add(track)
        elif track in self._skipping and frame.keyframe:
            self._skipping.discard(track)
        if track in self._skipping:
            self._camera.frames_dropped += 1
            return False
        return True

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
            (taken for offer in offers if (taken := self._set_up_track(max(index, 0), offer)) is not None), None
        )
        if answer is None:
            return Reply(461)
        camera.sessions_total += is_new
        return Reply(200, (("Transport", f'{answer.encode()};mode="PLAY"'), self._session_header()))

    def _set_up_track(self, index: int, offer: Transport) -> Transport | None:
        """Set the track up as offered, if that can be done."""
        if not offer.unicast or (offer.mode or "play").lower() != "play":
            return None
        ssrc = f"{self._camera.feed.clocks[index].ssrc:08X}"
        if offer.protocol == "RTP/AVP/TCP":
            channels = offer.interleaved or (2 * index, 2 * index + 1)
            self._channels[index] = channels
            return Transport("RTP/AVP/TCP", interleaved=channels, ssrc=ssrc)
        if offer.protocol not in ("RTP/AVP", "RTP/AVP/UDP") or offer.client_port is None:
            return None
        udp = self._open_udp(offer.client_port)
        if udp is None:
            return None
        if (before := self._udp.pop(index, None)) is not None:
            before.close()
        self._udp[index] = udp
        return Transport("RTP/AVP", client_port=offer.client_port, server_port=udp.server_ports, ssrc=ssrc)

    def _open_udp(self, client_port: tuple[int, int]) -> UdpTrack | None:
        local, peer = (self.transport.get_extra_info(name)[0] for name in ("sockname", "peername"))
        try:
            return UdpTrack(local, (peer, *client_port), self._note_report)
        except UdpPortsError as error:
            log.warning("udp_ports_missing", camera=self._camera.id, reason=str(error))
            return None

    def _play(self, request: Request) -> Reply:
        if not self._session_fits(request, required=True):
            return Reply(454)
        if not self.is_set_up:
            return Reply(455)
        self._playing = True
        self.follow_feed()
        stall = self._camera.fault_if(CameraFaultName.STALL)
        if stall is not None and stall.after_s > 0:
            self._camera.feed.subscribe(self)
            self._fault_timer = self._loop.call_later(stall.after_s, self._camera.feed.unsubscribe, self)
        clocks = self._camera.feed.clocks
        base = request.uri.rstrip("/")
        info = ",".join(
            f"url={base}/{control_of(index)};seq={clocks[index].sequence};rtptime={clocks[index].timestamp}"
            for index in sorted((*self._channels, *self._udp))
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
        """Give up the session; the connection may set up another."""
        self._playing = False
        self.follow_feed()
        for udp in self._udp.values():
            udp.close()
        self._udp.clear()
        self._channels.clear()
        self._skipping.clear()

    def _session_fits(self, request: Request, *, required: bool) -> bool:
        given = request.headers.get("Session")
        if given is None:
            return not required
        return self.is_set_up and given.split(";")[0].strip() == self.session_id

    def _session_header(self) -> tuple[str, str]:
        return "Session", f"{self.session_id};timeout={self._camera.config.session_timeout_s}"

    def _track_index(self, uri: str) -> int | None:
        """Which track a URI names: -1 for the stream as a whole, None when it names nothing here."""
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

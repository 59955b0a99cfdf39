"""The tracks of one session at a camera, over TCP or UDP, and the media sent on them."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from simulator.cameras.feed import Feed
from simulator.devices.faults import CameraFault, CameraFaultName
from simulator.packets import Frame
from simulator.rtsp.flood import GiantPicture
from simulator.rtsp.nonsense import HugeUnit, Junk, damaged, garbage, split_interleaved
from simulator.rtsp.udp import UdpPortsError, UdpTrack
from vonggac.media.rtp import interleave
from vonggac.rtsp.wire.transport import Transport
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MAX_WRITE_BUFFER_BYTES = 1 << 20
"""A slow reader's frames beyond this are dropped, until a keyframe finds room."""
_SPOILS_MEDIA = frozenset(
    (
        CameraFaultName.GARBAGE,
        CameraFaultName.MID_GARBAGE,
        CameraFaultName.DAMAGED_KEYFRAMES,
        CameraFaultName.HUGE_FRAME,
        CameraFaultName.GIANT_PICTURE,
    )
)


class SendingCamera(Protocol):
    """The camera whose media is sent: its feed, its fault and the counter of dropped frames."""

    id: str
    fault: CameraFault | None
    frames_dropped: int

    @property
    def feed(self) -> Feed: ...


class SessionTracks:
    """Subscribes to the camera's feed while the session plays."""

    def __init__(
        self, camera: SendingCamera, transport: asyncio.Transport, on_receiver_report: Callable[[], None]
    ) -> None:
        """`transport` is the RTSP connection, which carries interleaved media."""
        self._camera = camera
        self._transport = transport
        self._on_receiver_report = on_receiver_report
        self._channels: dict[int, tuple[int, int]] = {}
        self._udp: dict[int, UdpTrack] = {}
        self._skipping: set[int] = set()
        self._junk: Junk | None = None
        self._huge: HugeUnit | None = None
        self._giant: GiantPicture | None = None

    def __bool__(self) -> bool:
        """Whether any track is set up."""
        return bool(self._channels or self._udp)

    @property
    def indexes(self) -> list[int]:
        """The tracks that are set up, in the order of the description."""
        return sorted((*self._channels, *self._udp))

    def set_up(self, index: int, offer: Transport) -> Transport | None:
        """Set the track up as offered, if possible, and return the answer."""
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

    def begin_fault(self) -> None:
        """Apply the camera's fault, or none, to the media from now on."""
        self._junk = self._huge = self._giant = None

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
                self._transport.write(self._spoilt(fault, track, frame, channels[0]))
            else:
                self._transport.write(frame.data if channels[0] == frame.channel else frame.on_channel(channels[0]))

    def send_report(self, track: int, report: bytes) -> None:
        udp = self._udp.get(track)
        channels = self._channels.get(track)
        if udp is not None:
            udp.send_report(report)
        elif channels is not None and track not in self._skipping:
            self._transport.write(interleave(channels[1], report))

    def close(self) -> None:
        """Release all tracks; others may be set up afterwards."""
        for udp in self._udp.values():
            udp.close()
        self._udp.clear()
        self._channels.clear()
        self._skipping.clear()

    def _open_udp(self, client_port: tuple[int, int]) -> UdpTrack | None:
        local, peer = (self._transport.get_extra_info(name)[0] for name in ("sockname", "peername"))
        try:
            return UdpTrack(local, (peer, *client_port), self._on_receiver_report)
        except UdpPortsError as error:
            log.warning("udp_ports_missing", camera=self._camera.id, reason=str(error))
            return None

    def _spoilt(self, fault: CameraFault, track: int, frame: Frame, channel: int) -> bytes | bytearray:
        """The frame that goes out in place of this one."""
        if fault.fault is CameraFaultName.GARBAGE:
            return garbage(len(frame.data))
        if fault.fault is CameraFaultName.MID_GARBAGE:
            self._junk = self._junk or Junk(fault.chosen_kind)
            return self._junk.spoil(frame, channel)
        media = self._camera.feed.clocks[track].track
        if fault.fault is CameraFaultName.GIANT_PICTURE:
            self._giant = self._giant or GiantPicture(fault.side)
            return self._giant.next_picture(frame, channel) if media.media == "video" else frame.on_channel(channel)
        if fault.fault is CameraFaultName.DAMAGED_KEYFRAMES:
            return damaged(frame, channel) if media.media == "video" else frame.on_channel(channel)
        if media.media != "video" or fault.chosen_kind != "access_unit":
            return frame.on_channel(channel)
        self._huge = self._huge or HugeUnit(media.codec, fault.size_mb << 20)
        return self._huge.next_chunk(frame, channel)

    def _has_room(self, track: int, frame: Frame) -> bool:
        if self._transport.get_write_buffer_size() > MAX_WRITE_BUFFER_BYTES:
            self._skipping.add(track)
        elif track in self._skipping and frame.keyframe:
            self._skipping.discard(track)
        if track in self._skipping:
            self._camera.frames_dropped += 1
            return False
        return True

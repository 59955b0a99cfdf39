"""The tracks of one session at a camera, over TCP or UDP, and the media sent on them."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from simulator.cameras.feed import Feed
from simulator.devices.faults import CameraFault, CameraFaultName
from simulator.packets import Frame
from simulator.rtsp.flood import GiantPicture
from simulator.rtsp.nonsense import HugeUnit, Junk, damaged, garbage, split_interleaved
from vonggac.rtsp.server.media_sender import MediaSender

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
        self.sender = MediaSender(transport, on_receiver_report)
        self._junk: Junk | None = None
        self._huge: HugeUnit | None = None
        self._giant: GiantPicture | None = None

    def begin_fault(self) -> None:
        """Apply the camera's fault, or none, to the media from now on."""
        self._junk = self._huge = self._giant = None

    def send_frame(self, track: int, frame: Frame) -> None:
        udp, channels = self.sender.udp_of(track), self.sender.channels_of(track)
        fault = self._camera.fault
        spoiling = fault if fault is not None and fault.fault in _SPOILS_MEDIA else None
        if udp is not None:
            if spoiling is not None:
                udp.send_packets(split_interleaved(self._spoilt(spoiling, track, frame, frame.channel)))
            else:
                udp.send_packets(frame.packets())
        elif channels is not None and self._has_room(track, frame):
            if spoiling is not None:
                self._transport.write(self._spoilt(spoiling, track, frame, channels[0]))
            else:
                self._transport.write(frame.data if channels[0] == frame.channel else frame.on_channel(channels[0]))

    def send_report(self, track: int, report: bytes) -> None:
        self.sender.send_report(track, report)

    def _spoilt(self, fault: CameraFault, track: int, frame: Frame, channel: int) -> bytes | bytearray:
        """Build the frame that goes out in place of this one."""
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
        has_room = self.sender.has_room(track, keyframe=frame.keyframe)
        self._camera.frames_dropped += not has_room
        return has_room

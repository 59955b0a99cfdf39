"""One stream in the child: a container's bytes in, its media as interleaved RTP out, over the same socket.

What goes back is what an RTSP connection carries: first an ANNOUNCE with the session description, then frames. When the
media cannot be unpacked, a TEARDOWN whose body is the cause and a line for people. Pictures that come before the first
keyframe are announced by one PLAY_NOTIFY.
"""

import base64
import contextlib
import select
import socket
import time
from collections.abc import Iterator

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from forwarder.relay.demux import packetizer as packing
from forwarder.relay.demux.packetizer import RtpStream
from forwarder.relay.demux.request import RemuxRequest
from vonggac.events.causes import Cause
from vonggac.media.h26x import VideoCodec, is_keyframe_slice, is_parameter_set, nal_type
from vonggac.media.rtcp import SenderReport, build_sender_report, ntp_from_unix
from vonggac.media.rtp import interleave
from vonggac.net.errors import PeerError
from vonggac.rtsp.wire.messages import Headers, Request

VIDEO_CLOCK = 90_000
_VIDEO_TYPE, _AUDIO_TYPE = 96, 97
_VIDEO_CHANNEL, _AUDIO_CHANNEL = 0, 2
_CODECS = {"h264": VideoCodec.H264, "hevc": VideoCodec.H265}
_DELIMITERS = {VideoCodec.H264: 9, VideoCodec.H265: 35}
_G711 = {"pcm_alaw": ("PCMA", 8), "pcm_mulaw": ("PCMU", 0)}
_REPORT_EVERY_S = 5.0
_AHEAD_AT_MOST_S = 20.0
_READ_BYTES = 64 << 10
MAX_BETWEEN_PICTURES_BYTES = 16 << 20
"""Twice the largest picture that is put together again anywhere. libav collects one until it ends, up to 2 GB."""
_PROBE = {"probesize": "3000000", "analyzeduration": "3000000", "fflags": "nobuffer"}


type AnyPacket = av.Packet[Stream]


class _Reader:
    """The socket as a file for libav. It ends when too much was read since the last picture came out."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._since_picture = 0

    def read(self, size: int) -> bytes:
        # Not an exception: libav would ask again, and PyAV would print each one.
        if self._since_picture > MAX_BETWEEN_PICTURES_BYTES:
            return b""
        data = self._end.recv(size)
        self._since_picture += len(data)
        return data

    def picture_came(self) -> None:
        """Count anew from a picture that came. Raises what `check` does."""
        self.check()
        self._since_picture = 0

    def check(self) -> None:
        """Raise PeerError protocol_error when it ended because of that."""
        if self._since_picture > MAX_BETWEEN_PICTURES_BYTES:
            msg = f"no picture ends within {MAX_BETWEEN_PICTURES_BYTES} bytes"
            raise PeerError(Cause.PROTOCOL_ERROR, msg)


def unpack(request: RemuxRequest, end: socket.socket) -> None:
    """Run until the media or the parent ends; closes `end`. Never raises."""
    with end, contextlib.suppress(OSError):
        reader = _Reader(end)
        try:
            with av.open(reader, mode="r", format=request.format, options=dict(_PROBE)) as container:
                _Unpacking(request, container, reader, end).run()
            reader.check()
        except PeerError as error:
            _tear_down(end, error)
        except (av.FFmpegError, ValueError, IndexError) as error:
            _tear_down(end, _unreadable(request, reader, error))


class _Unpacking:
    def __init__(self, request: RemuxRequest, container: InputContainer, reader: _Reader, end: socket.socket) -> None:
        """Raise PeerError no_track without video, codec_unsupported for one that is neither H.264 nor H.265."""
        self._end, self._container, self._reader, self._request = end, container, reader, request
        if not container.streams.video:
            raise PeerError(Cause.NO_TRACK, "the media holds no video")
        self._video: VideoStream = container.streams.video[0]
        name = self._video.codec_context.name
        if name not in _CODECS:
            raise PeerError(Cause.CODEC_UNSUPPORTED, f"the video is {name}, it must be H.264 or H.265")
        self._codec = _CODECS[name]
        self._width, self._sets = packing.configured_nals(self._codec, self._video.codec_context.extradata or b"")
        self._audio = _usable_audio(container) if request.audio else None
        self._rtp = RtpStream(_VIDEO_CHANNEL, _VIDEO_TYPE)
        self._sound: RtpStream | None = None
        self._announced = self._notified = False
        self._configuration = b""
        self._began_s: float | None = None
        self._first_s = 0.0
        self._reported_s = 0.0
        self._hang_up = select.poll()
        self._hang_up.register(end, select.POLLRDHUP)

    def run(self) -> None:
        for packet in self._container.demux(*filter(None, (self._video, self._audio))):
            if packet.stream is self._video:
                self._reader.picture_came()
            if not packet.size or packet.is_corrupt:
                continue
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is None or packet.time_base is None:
                continue
            shown_s = float(stamp * packet.time_base)
            if self._request.paced:
                self._wait_for_turn(float((packet.dts or stamp) * packet.time_base))
            if packet.stream is self._video:
                self._send_video(packet, shown_s)
            elif self._audio is not None:
                self._send_audio(packet, shown_s)

    def _send_video(self, packet: AnyPacket, shown_s: float) -> None:
        data = bytes(packet)
        nals = packing.split_lengths(data, self._width) if self._width else packing.split_annex_b(data)
        nals = [nal for nal in nals if nal_type(self._codec, nal) != _DELIMITERS[self._codec]]
        if any(is_keyframe_slice(self._codec, nal_type(self._codec, nal)) for nal in nals):
            # Parameter sets first: that is how a beginning is known.
            sets = [nal for nal in nals if is_parameter_set(self._codec, nal_type(self._codec, nal))]
            self._sets = sets or self._sets
            nals = [
                *self._sets,
                *(nal for nal in nals if not is_parameter_set(self._codec, nal_type(self._codec, nal))),
            ]
            self._announce()
        if not self._announced and nals and not self._notified:
            self._notified = True
            self._end.sendall(Request("PLAY_NOTIFY", "*").encode())
        if not self._announced or not nals:
            return
        timestamp = round(shown_s * VIDEO_CLOCK)
        self._report(timestamp)
        self._end.sendall(self._rtp.frames(packing.video_payloads(self._codec, nals), timestamp))

    def _send_audio(self, packet: AnyPacket, shown_s: float) -> None:
        stream = packet.stream
        assert isinstance(stream, AudioStream)
        data = bytes(packet)
        if stream.codec_context.name == "aac" and packing.is_adts(data):
            self._configuration, data = packing.split_adts(data)
        if len(data) <= packing.MAX_SOUND_BYTES and self._announced and self._sound is not None:
            payload = packing.aac_payload(data) if stream.codec_context.name == "aac" else data
            timestamp = round(shown_s * (stream.codec_context.sample_rate or 8000))
            self._end.sendall(self._sound.frames([payload], timestamp))

    def _announce(self) -> None:
        if self._announced:
            return
        self._announced = True
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"]
        lines += ["m=video 0 RTP/AVP 96", f"a=rtpmap:96 {self._codec}/90000"]
        lines += [f"a=fmtp:96 {_video_parameters(self._codec, self._sets)}", "a=control:trackID=0"]
        if self._audio is not None:
            lines += self._audio_lines(self._audio)
        body = ("\r\n".join(lines) + "\r\n").encode()
        self._end.sendall(Request("ANNOUNCE", "*", Headers(), body).encode())

    def _audio_lines(self, audio: AudioStream) -> Iterator[str]:
        context = audio.codec_context
        if context.name in _G711:
            name, number = _G711[context.name]
            lines = [f"m=audio 0 RTP/AVP {number}", f"a=rtpmap:{number} {name}/8000"]
        else:
            number, configuration = _AUDIO_TYPE, context.extradata or self._configuration
            if not configuration:
                return iter(())
            fmtp = (
                f"streamtype=5;mode=AAC-hbr;config={configuration.hex()};sizelength=13;indexlength=3;indexdeltalength=3"
            )
            rate = f"MPEG4-GENERIC/{context.sample_rate}/{context.channels}"
            lines = [f"m=audio 0 RTP/AVP {number}", f"a=rtpmap:{number} {rate}", f"a=fmtp:{number} {fmtp}"]
        self._sound = RtpStream(_AUDIO_CHANNEL, number)
        return iter([*lines, "a=control:trackID=1"])

    def _report(self, timestamp: int) -> None:
        """Send a sender report now and then, so that sound and picture can be laid side by side."""
        now_s = time.monotonic()
        if self._reported_s and now_s - self._reported_s < _REPORT_EVERY_S:
            return
        self._reported_s = now_s
        ntp = ntp_from_unix(time.time())
        own = SenderReport(self._rtp.ssrc, ntp, timestamp, self._rtp.packets, self._rtp.octets)
        out = interleave(_VIDEO_CHANNEL + 1, build_sender_report(own, cname="vonggac"))
        if self._sound is not None and self._audio is not None:
            rate = self._audio.codec_context.sample_rate or 8000
            sound = self._sound
            other = SenderReport(sound.ssrc, ntp, timestamp * rate // VIDEO_CLOCK, sound.packets, sound.octets)
            out += interleave(_AUDIO_CHANNEL + 1, build_sender_report(other, cname="vonggac"))
        self._end.sendall(out)

    def _wait_for_turn(self, due_s: float) -> None:
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s, self._first_s = now_s, due_s
        ahead_s = (due_s - self._first_s) - (now_s - self._began_s)
        if 0 < ahead_s <= _AHEAD_AT_MOST_S:
            # Not a sleep: it ends early when the parent hangs up.
            self._hang_up.poll(ahead_s * 1000)
        elif ahead_s:
            # It came late, or its clock jumped: from here on this is the pace.
            self._began_s, self._first_s = now_s, due_s


def _usable_audio(container: InputContainer) -> AudioStream | None:
    known = (stream for stream in container.streams.audio if stream.codec_context.name in {"aac", *_G711})
    return next(known, None)


def _video_parameters(codec: VideoCodec, sets: list[bytes]) -> str:
    if codec is VideoCodec.H264:
        profile = next((nal[1:4].hex() for nal in sets if nal_type(codec, nal) == 7), "42e01f")
        encoded = ",".join(base64.b64encode(nal).decode() for nal in sets)
        return f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={encoded}"
    names = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}
    pairs = [(names.get(nal_type(codec, nal)), nal) for nal in sets]
    return ";".join(f"{name}={base64.b64encode(nal).decode()}" for name, nal in pairs if name)


def _tear_down(end: socket.socket, error: PeerError) -> None:
    body = f"{error.cause}\n{error.message}".encode()
    end.sendall(Request("TEARDOWN", "*", Headers(), body).encode())
    # The parent may be writing: closed under its hands, it would find the connection broken before it reads why.
    while end.recv(_READ_BYTES):
        pass


def _unreadable(request: RemuxRequest, reader: _Reader, error: Exception) -> PeerError:
    try:
        reader.check()
    except PeerError as cause:
        return cause
    return PeerError(Cause.PROTOCOL_ERROR, f"the {request.format} media cannot be read: {_brief(error)}")


def _brief(error: Exception) -> str:
    return str(error.strerror) if isinstance(error, av.FFmpegError) else type(error).__name__

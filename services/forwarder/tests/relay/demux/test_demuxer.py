"""Streams taken apart as the child does it, in a thread of the test."""

import io
import socket
import threading
from fractions import Fraction

import av
import numpy as np

from forwarder.relay.demux.demuxer import unpack
from forwarder.relay.demux.request import RemuxRequest
from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Request


def recording(sound: bytes, *, pictures: int = 80) -> bytes:
    """FLV with a picture and a packet of AAC in turns."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flv") as out:
        video = out.add_stream("libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency", "g": "5"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = out.add_stream("aac", rate=8000)
        audio.layout = "mono"
        for number in range(pictures):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            out.mux(video.encode(frame))
            packet = av.Packet(sound)
            packet.stream, packet.time_base = audio, Fraction(1, 1000)
            packet.pts = packet.dts = 100 * number
            out.mux(packet)
        out.mux(video.encode(None))
    return buffer.getvalue()


def unpacked(data: bytes) -> tuple[list[MediaBatch], list[Request]]:
    ours, theirs = socket.socketpair()
    working = threading.Thread(target=unpack, args=(RemuxRequest("flv", audio=True), theirs))
    working.start()

    def feed() -> None:
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)

    feeding = threading.Thread(target=feed)
    feeding.start()
    deframer, batches, requests = Deframer(), list[MediaBatch](), list[Request]()
    with ours:
        while piece := ours.recv(65536):
            for item in deframer.feed(piece):
                if isinstance(item, MediaBatch):
                    batches.append(item)
                elif isinstance(item, Request):
                    requests.append(item)
    feeding.join()
    working.join()
    return batches, requests


def pictures_of(batches: list[MediaBatch]) -> int:
    return sum(batch.data[start + 5] >= 0x80 for batch in batches for channel, start, _ in batch.frames if channel == 0)


def test_sound_that_no_packet_can_carry_costs_no_picture() -> None:
    batches, requests = unpacked(recording(b"\x21" * 9000))
    assert [request.method for request in requests if request.method != "PLAY_NOTIFY"] == ["ANNOUNCE"]
    # Those of the first seconds were used up to recognise the streams.
    assert pictures_of(batches) > 20

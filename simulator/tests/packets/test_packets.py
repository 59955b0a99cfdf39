"""Packets: a client's depacketiser gets back what was packed, and keyframes of a loop differ."""

import threading
from dataclasses import replace

import av
import pytest

from simulator.clips import VideoClip
from simulator.clips.encoder import encode_audio, encode_video
from simulator.clips.spec import VideoSpec
from simulator.packets import PreparedTrack, prepare_audio, prepare_video, render
from simulator.packets.template import MAX_PAYLOAD_BYTES, MAX_SERIAL
from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.media.rtp import parse_rtp
from vonggac.rtsp import Deframer, MediaBatch

SPEC = VideoSpec(
    codec="h264",
    width=640,
    height=360,
    fps=10,
    bitrate_kbps=1500,
    gop_frames=5,
    gops=2,
    scene="shapes",
    number=12,
)
CODECS = {"h264": VideoCodec.H264, "h265": VideoCodec.H265}


@pytest.fixture(scope="module", params=["h264", "h265"])
def clip(request: pytest.FixtureRequest) -> VideoClip:
    return encode_video(replace(SPEC, codec=request.param), threading.Event())


@pytest.fixture(scope="module")
def track(clip: VideoClip) -> PreparedTrack:
    return prepare_video(clip, SPEC.rate)


def packets_of(data: bytes) -> list[bytes]:
    (batch,) = Deframer().feed(data)
    assert isinstance(batch, MediaBatch)
    return [batch.data[start + 4 : end] for _, start, end in batch.frames]


def units_of(track: PreparedTrack, serial: int = 0) -> list[AccessUnit]:
    depacketizer = Depacketizer(CODECS[track.codec])
    units: list[AccessUnit] = []
    sequence = 65_530
    for number, template in enumerate(track.frames):
        data = bytes(render(template, sequence, number * 9000, 7, serial if template.keyframe else 0))
        sequence = (sequence + len(template.starts)) & 0xFFFF
        for packet in packets_of(data):
            units += depacketizer.push_packet(packet)
    assert depacketizer.dropped == 0
    return units


def decode(codec: str, units: list[AccessUnit]) -> list[bytes]:
    decoder = av.CodecContext.create({"h264": "h264", "h265": "hevc"}[codec], "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = []
    for unit in units:
        frames += decoder.decode(av.Packet(b"".join(b"\x00\x00\x00\x01" + nal for nal in unit.nals)))
    return [frame.to_ndarray().tobytes() for frame in [*frames, *decoder.decode(None)]]


def test_a_client_gets_back_every_nal_unit(clip: VideoClip, track: PreparedTrack) -> None:
    units = units_of(track)
    assert len(units) == len(clip.units) == SPEC.frames
    for sent, got in zip(clip.units, units, strict=True):
        parameter_sets = list(clip.parameter_sets) if sent.keyframe else []
        assert got.nals == [*parameter_sets, *sent.nals]
        assert got.keyframe == sent.keyframe
    assert [unit.keyframe for unit in units] == [number % SPEC.gop_frames == 0 for number in range(SPEC.frames)]


def test_packets_fit_an_ethernet_and_the_last_of_a_picture_is_marked(track: PreparedTrack) -> None:
    for template in track.frames:
        data = bytes(render(template, 0, 0, 1, 32 if template.keyframe else 0))
        packets = packets_of(data)
        assert max(map(len, packets)) <= 1472
        assert max(map(len, packets[:-1]), default=0) <= MAX_PAYLOAD_BYTES + 12
        assert [parse_rtp(packet).marker for packet in packets] == [False] * (len(packets) - 1) + [True]


def test_a_serial_changes_the_coded_bytes_and_not_the_picture(clip: VideoClip, track: PreparedTrack) -> None:
    plain, numbered = units_of(track), units_of(track, serial=MAX_SERIAL - 1)
    codec = CODECS[clip.codec]
    assert keyframe_hash(codec, plain[0].nals) != keyframe_hash(codec, numbered[0].nals)
    assert decode(clip.codec, plain) == decode(clip.codec, numbered)


def test_aac_carries_the_size_of_its_frame() -> None:
    clip = encode_audio("aac")
    track = prepare_audio(clip)
    (packet,) = packets_of(bytes(render(track.frames[0], 1, 2, 3)))
    payload = packet[12:]
    assert int.from_bytes(payload[:2]) == 16
    assert int.from_bytes(payload[2:4]) >> 3 == len(clip.frames[0])
    assert payload[4:] == clip.frames[0]


def test_g711_packets_last_twenty_milliseconds() -> None:
    track = prepare_audio(encode_audio("pcma"))
    assert track.frames_per_s == 50
    assert {len(packets_of(bytes(render(frame, 1, 2, 3)))[0]) for frame in track.frames} == {12 + 160}

"""How a keyframe begins that was only weighed, and its quantizer, are those of the same keyframe when it is read."""

import pytest

from forwarder.relay.media.keyframe_scale import KeyframeScale, head_of, read_head
from vonggac.media.depacketizer import Depacketizer
from vonggac.media.h26x import VideoCodec
from vonggac.media.keyframe_weight import keyframe_quantizer
from vonggac.testing.recordings import codec_of, recorded

VIDEO = 0


def framed(packet: bytes) -> bytes:
    return b"$" + bytes([VIDEO]) + len(packet).to_bytes(2, "big") + packet


@pytest.mark.parametrize("at_once", [1, 3, 7, 50])
@pytest.mark.parametrize("name", ["ffmpeg_h264", "ffmpeg_h265", "gstreamer_h264", "gstreamer_h264_aggregated"])
def test_the_quantizer_of_a_weighed_keyframe_is_that_of_its_slices(name: str, at_once: int) -> None:
    codec, packets = codec_of(name), [bytes(packet) for packet in recorded(name)]
    depacketizer = Depacketizer(codec)
    keyframes = [unit.nals for packet in packets for unit in depacketizer.push_packet(packet) if unit.keyframe]
    quantizers = {keyframe_quantizer(codec, nals) for nals in keyframes}
    assert None not in quantizers
    sets = [nal for nal in keyframes[0] if len(nal) < 200]
    heads = list[bytes | None]()
    scale = KeyframeScale(VIDEO, 1, lambda _octets: heads.append(read_head(codec, VIDEO, scale.pieces)))
    for first in range(0, len(packets), at_once):
        piece = packets[first : first + at_once]
        marks = [packet[1] >= 0x80 for packet in piece]
        alone = not any(marks[:-1])
        scale.add_piece(b"".join(map(framed, piece)), marks[-1] if alone else None)
    found = {keyframe_quantizer(codec, (*sets, head)) for head in heads if head is not None}
    assert found
    assert found <= quantizers
    assert set(heads) - {None} <= {head_of(codec, nals) for nals in keyframes}


def test_a_keyframe_without_parameter_sets_or_with_a_damaged_header_has_no_quantizer() -> None:
    assert keyframe_quantizer(VideoCodec.H264, [b"\x65\x88\x84\x00"]) is None
    assert keyframe_quantizer(VideoCodec.H264, [b"\x67\x42", b"\x68\xce", b"\x65\x88\x84\x00"]) is None
    assert keyframe_quantizer(VideoCodec.H265, [b"\x42\x01", b"\x44\x01", b"\x26\x01\xaf"]) is None
    assert read_head(VideoCodec.H264, VIDEO, (b"", b"$\x00\x00\x04abcd")) is None

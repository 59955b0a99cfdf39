"""Foreign cameras whose marker bit says less than it should: on every packet, or on the last one of every slice."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec, nal_type
from vonggac.media.keyframes import KeyframeCollector
from vonggac.media.marker import MarkerBit

H264, H265 = VideoCodec.H264, VideoCodec.H265
BOTH = pytest.mark.parametrize("codec", [H264, H265])
DELIMITER, SETS, KEY = {H264: 9, H265: 35}, {H264: (7, 8), H265: (32, 33, 34)}, {H264: 5, H265: 19}
MARKERS = pytest.mark.parametrize("markers", ["packet", "slice"])


@dataclass(frozen=True)
class Packet:
    payload: bytes
    sequence: int
    timestamp: int
    marker: bool


def nal(codec: VideoCodec, kind: int, body: bytes) -> bytes:
    return (bytes([0x60 | kind]) if codec is H264 else bytes([kind << 1, 1])) + body


def fragments(codec: VideoCodec, unit: bytes, pieces: int) -> list[bytes]:
    head = 1 if codec is H264 else 2
    indicator = bytes([unit[0] & 0xE0 | 28]) if codec is H264 else bytes([unit[0] & 0x81 | 49 << 1, unit[1]])
    size = -(-(len(unit) - head) // pieces)
    bodies = [unit[at : at + size] for at in range(head, len(unit), size)]
    flags = [0x80, *[0] * (len(bodies) - 2), 0x40]
    kind = nal_type(codec, unit)
    return [indicator + bytes([flag | kind]) + body for flag, body in zip(flags, bodies, strict=True)]


def keyframe(codec: VideoCodec, *, sets: bool, size: int) -> list[bytes]:
    described = [nal(codec, kind, b"\x42set") for kind in SETS[codec]] if sets else []
    return [*described, *(nal(codec, KEY[codec], bytes([first]) + b"\xab" * size) for first in (0x88, 0x08))]


def inter(codec: VideoCodec) -> list[bytes]:
    return [nal(codec, 1, bytes([first]) + b"\xcd" * 40) for first in (0x9A, 0x1A)]


def sent(codec: VideoCodec, pictures: list[list[bytes]], markers: str) -> Iterator[Packet]:
    """`markers`: "packet" on every one, "slice" on the last one of every unit but parameter sets, "picture" as due."""
    sequence = 65_533
    for number, units in enumerate(pictures):
        for at, unit in enumerate(units):
            pieces = fragments(codec, unit, 4) if len(unit) > 200 else [unit]
            for piece, payload in enumerate(pieces):
                last = piece == len(pieces) - 1
                is_slice = len(unit) > 20
                due = {"packet": True, "slice": last and is_slice, "picture": last and at == len(units) - 1}
                yield Packet(payload, sequence & 0xFFFF, 1000 + 3600 * number, due[markers])
                sequence += 1


def pushed(reader: Depacketizer | KeyframeCollector, packets: Iterator[Packet]) -> list[AccessUnit]:
    return [
        unit
        for packet in packets
        for unit in reader.push(
            packet.payload, sequence=packet.sequence, timestamp=packet.timestamp, marker=packet.marker
        )
    ]


@BOTH
@MARKERS
@pytest.mark.parametrize("sets", [True, False], ids=["sets", "no-sets"])
@pytest.mark.parametrize("size", [60, 900], ids=["single", "fragments"])
def test_foreign_markers_cut_no_picture_of_two_slices_in_half(
    codec: VideoCodec, markers: str, sets: bool, size: int
) -> None:
    pictures = [
        keyframe(codec, sets=sets, size=size),
        inter(codec),
        inter(codec),
        keyframe(codec, sets=sets, size=size),
    ]
    packets = [*pictures, inter(codec)]
    units = pushed(Depacketizer(codec, believes_markers=False), sent(codec, packets, markers))
    assert [unit.nals for unit in units] == pictures
    keyframes = pushed(KeyframeCollector(codec), sent(codec, packets, markers))
    assert [unit.nals for unit in keyframes] == [pictures[0], pictures[3]]


@BOTH
def test_a_foreign_delimiter_before_each_picture_changes_nothing(codec: VideoCodec) -> None:
    delimiter = [nal(codec, DELIMITER[codec], b"\x10")]
    pictures = [delimiter + keyframe(codec, sets=True, size=900), delimiter + inter(codec), delimiter + inter(codec)]
    units = pushed(Depacketizer(codec, believes_markers=False), sent(codec, pictures, "packet"))
    assert [unit.nals for unit in units] == pictures[:2]


@BOTH
def test_a_marker_that_was_right_once_ends_pictures_at_once(codec: VideoCodec) -> None:
    pictures = [keyframe(codec, sets=True, size=900), inter(codec), inter(codec)]
    reader = Depacketizer(codec, believes_markers=False)
    units = pushed(reader, sent(codec, pictures, "picture"))
    assert [unit.nals for unit in units] == pictures
    assert not reader.is_open


@BOTH
def test_the_first_picture_is_given_at_the_end_of_a_stream_that_has_no_other(codec: VideoCodec) -> None:
    reader = Depacketizer(codec, believes_markers=False)
    picture = keyframe(codec, sets=True, size=900)
    assert pushed(reader, sent(codec, [picture], "picture")) == []
    assert [unit.nals for unit in reader.end_unit()] == [picture]


@BOTH
def test_a_believed_marker_that_is_wrong_costs_one_picture(codec: VideoCodec) -> None:
    reader = Depacketizer(codec)
    pictures = [keyframe(codec, sets=False, size=60), inter(codec), inter(codec), inter(codec)]
    units = pushed(reader, sent(codec, pictures, "packet"))
    assert [unit.nals for unit in units] == [pictures[0][:1], *pictures[1:3]]
    assert reader.dropped == 1


@BOTH
def test_a_clock_that_stands_still_ends_pictures_by_their_first_slices(codec: VideoCodec) -> None:
    reader = Depacketizer(codec, believes_markers=False)
    pictures = [[inter(codec)[0]]] * 3
    packets = (Packet(one.payload, one.sequence, 1000, one.marker) for one in sent(codec, pictures, "picture"))
    assert [unit.nals for unit in pushed(reader, packets)] == pictures


def test_a_marker_amid_a_fragmented_unit_is_wrong_for_good() -> None:
    marker = MarkerBit(H264, believed=True)
    first, last = fragments(H264, nal(H264, 5, b"\x88" + b"\xab" * 900), 2)
    assert not marker.ends_picture(first, 1000, marker=True)
    assert not marker.ends_picture(last, 1000, marker=True)

"""Every legal keyframe is a keyframe, in whatever order and packets its units come."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec, nal_type
from vonggac.media.keyframes import KeyframeCollector, KeyframeDetector, Mark
from vonggac.media.rtp import parse_rtp
from vonggac.media.sei import pictures_to_recover, recovery_point
from vonggac.testing.recordings import KEYFRAMES, PICTURES, RECORDINGS, codec_of, recorded

H264, H265 = VideoCodec.H264, VideoCodec.H265
BOTH = pytest.mark.parametrize("codec", [H264, H265])
DELIMITER, SEI, SETS, KEY = (
    {H264: 9, H265: 35},
    {H264: 6, H265: 39},
    {H264: (7, 8), H265: (32, 33, 34)},
    {H264: 5, H265: 19},
)
RECOVERED_AT_ONCE = {H264: b"\x06\x01\xc4\x80", H265: b"\x06\x01\xd0\x80"}
RECOVERED_LATER = {H264: b"\x06\x02\x13\x20\x80", H265: b"\x06\x02\x15\x40\x80"}


def nal(codec: VideoCodec, kind: int, body: bytes) -> bytes:
    return (bytes([0x60 | kind]) if codec is H264 else bytes([kind << 1, 1])) + body


def aggregate(codec: VideoCodec, nals: list[bytes]) -> bytes:
    head = b"\x78" if codec is H264 else bytes([48 << 1, 1])
    return head + b"".join(len(unit).to_bytes(2, "big") + unit for unit in nals)


def fragments(codec: VideoCodec, unit: bytes, pieces: int) -> list[bytes]:
    head = 1 if codec is H264 else 2
    indicator = bytes([unit[0] & 0xE0 | 28]) if codec is H264 else bytes([unit[0] & 0x81 | 49 << 1, unit[1]])
    size = -(-(len(unit) - head) // pieces)
    bodies = [unit[at : at + size] for at in range(head, len(unit), size)]
    last = len(bodies) - 1
    kind = nal_type(codec, unit)
    return [
        indicator + bytes([(0x80 if at == 0 else 0) | (0x40 if at == last else 0) | kind]) + body
        for at, body in enumerate(bodies)
    ]


@dataclass(frozen=True)
class Packet:
    payload: bytes
    timestamp: int
    marker: bool


@dataclass(frozen=True)
class Sent:
    """A stream of three pictures, of which the one in the middle is a keyframe, and its units."""

    codec: VideoCodec
    packets: list[Packet]
    keyframe: list[bytes]
    begins: int


@st.composite
def streams(draw: st.DrawFn) -> Sent:
    """Delimiter, SEI and parameter sets in every legal order, in every legal packing, one to three slices."""
    codec = draw(st.sampled_from([H264, H265]))
    kind = draw(st.sampled_from(["idr", "recovery"]))
    sets = draw(st.sampled_from([(), SETS[codec]]))
    short, long = (
        nal(codec, SEI[codec], b"\x05\x02hi\x80"),
        nal(codec, SEI[codec], b"\x05\x28" + b"x264" * 10 + b"\x80"),
    )
    described = [nal(codec, one, b"\x42set") for one in sets]
    lead = draw(st.permutations([*described, *draw(st.sampled_from([[], [short], [long], [short, long]]))]))
    if kind == "recovery":
        point = draw(st.sampled_from([RECOVERED_AT_ONCE, RECOVERED_LATER]))[codec]
        lead.insert(draw(st.integers(0, len(lead))), nal(codec, SEI[codec], point))
    if draw(st.booleans()):
        lead.insert(0, nal(codec, DELIMITER[codec], b"\x10"))
    count = draw(st.integers(1, 3))
    slice_kind = KEY[codec] if kind == "idr" else 1
    slices = [nal(codec, slice_kind, bytes([0x88 if at == 0 else 0x08, at]) + b"\xab" * 40) for at in range(count)]
    payloads = _packed(draw, codec, lead, slices)
    own = draw(st.booleans()) and len(payloads.lead) > 0
    marked = draw(st.booleans())
    packets = [Packet(nal(codec, 1, b"\x9a\x01"), 1000, marked)]
    begins = len(packets)
    # Some cameras give their parameter sets a timestamp and a marker of their own.
    packets += [Packet(payload, 1999 if own else 2000, False) for payload in payloads.lead]
    if own:
        packets[-1] = Packet(packets[-1].payload, 1999, True)
    packets += [Packet(payload, 2000, False) for payload in payloads.slices]
    packets[-1] = Packet(packets[-1].payload, 2000, marked)
    packets.append(Packet(nal(codec, 1, b"\x9a\x02"), 3000, marked))
    packets.append(Packet(nal(codec, 1, b"\x9a\x03"), 4000, marked))
    return Sent(codec, packets, [*lead, *slices], begins)


@dataclass(frozen=True)
class Payloads:
    lead: list[bytes]
    slices: list[bytes]


def _packed(draw: st.DrawFn, codec: VideoCodec, lead: list[bytes], slices: list[bytes]) -> Payloads:
    packing = draw(st.sampled_from(["single", "aggregated", "all_in_one", "fragmented", "annex_b"]))
    if packing == "all_in_one":
        return Payloads([], [aggregate(codec, [*lead, *slices])])
    if packing == "annex_b":
        return Payloads([], [b"".join(b"\0\0\0\1" + unit for unit in [*lead, *slices])])
    pieces = draw(st.integers(2, 5))
    if packing == "fragmented":
        return Payloads(
            [piece for unit in lead for piece in (fragments(codec, unit, 2) if len(unit) > 20 else [unit])],
            [piece for unit in slices for piece in fragments(codec, unit, pieces)],
        )
    return Payloads([aggregate(codec, lead)] if lead and packing == "aggregated" else lead, slices)


def collected(codec: VideoCodec, packets: list[Packet]) -> list[AccessUnit]:
    collector = KeyframeCollector(codec)
    return [
        unit
        for sequence, packet in enumerate(packets, 65_530)
        for unit in collector.push(
            packet.payload, sequence=sequence & 0xFFFF, timestamp=packet.timestamp, marker=packet.marker
        )
    ]


@given(streams())
def test_keyframe_order_and_packing_hide_no_keyframe(sent: Sent) -> None:
    (unit,) = collected(sent.codec, sent.packets)
    assert unit.nals == sent.keyframe


@given(streams())
def test_keyframe_order_does_not_move_the_beginning_of_a_session(sent: Sent) -> None:
    detector = KeyframeDetector(sent.codec)
    marks = [detector.push(packet.payload, timestamp=packet.timestamp, marker=packet.marker) for packet in sent.packets]
    found = marks.index(Mark.KEYFRAME)
    assert marks[sent.begins : found] == [Mark.LEAD] * (found - sent.begins)
    assert marks[: sent.begins] == [Mark.OTHER] * sent.begins
    assert set(marks[found + 1 :]) == {Mark.OTHER}


@given(streams(), st.data())
def test_keyframe_order_makes_no_keyframe_of_what_is_not_whole(sent: Sent, data: st.DataObject) -> None:
    missing = data.draw(st.integers(sent.begins, len(sent.packets) - 3))
    collector = KeyframeCollector(sent.codec)
    units = [
        unit
        for sequence, packet in enumerate(sent.packets)
        if sequence != missing
        for unit in collector.push(packet.payload, sequence=sequence, timestamp=packet.timestamp, marker=packet.marker)
    ]
    # What is missing before the first packet that came cannot be known, and is no part of the picture.
    slices = {unit for unit in sent.keyframe if nal_type(sent.codec, unit) in (KEY[sent.codec], 1)}
    assert all(slices <= set(unit.nals) for unit in units)


@BOTH
@given(st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 3), st.booleans()), max_size=30))
def test_keyframe_order_of_nonsense_raises_nothing(codec: VideoCodec, payloads: list[tuple[bytes, int, bool]]) -> None:
    units = collected(codec, [Packet(*payload) for payload in payloads])
    assert all(unit.keyframe for unit in units)


@pytest.mark.parametrize("name", RECORDINGS)
def test_keyframe_order_of_real_packetisers_is_understood(name: str) -> None:
    codec, whole, collector = codec_of(name), Depacketizer(codec_of(name)), KeyframeCollector(codec_of(name))
    units: list[AccessUnit] = []
    keyframes: list[AccessUnit] = []
    for packet in recorded(name):
        header = parse_rtp(packet)
        units += whole.push_packet(packet)
        keyframes += collector.push(
            packet[header.payload_start : header.payload_end],
            sequence=header.sequence,
            timestamp=header.timestamp,
            marker=header.marker,
        )
    assert (len(units), whole.dropped, collector.dropped) == (PICTURES, 0, 0)
    assert keyframes == [unit for unit in units if unit.keyframe]
    assert len(keyframes) == KEYFRAMES
    assert units[0].keyframe
    assert codec in (H264, H265)


@pytest.mark.parametrize("name", ["ffmpeg_h265", "gstreamer_h264", "gstreamer_h264_aggregated", "gstreamer_h265"])
def test_keyframe_order_with_the_marker_on_every_packet_is_understood(name: str) -> None:
    whole, collector = Depacketizer(codec_of(name)), KeyframeCollector(codec_of(name))
    wanted: list[AccessUnit] = []
    found: list[AccessUnit] = []
    for packet in recorded(name):
        header = parse_rtp(packet)
        payload = packet[header.payload_start : header.payload_end]
        wanted += whole.push_packet(packet)
        found += collector.push(payload, sequence=header.sequence, timestamp=header.timestamp, marker=True)
    after = nal(codec_of(name), DELIMITER[codec_of(name)], b"\x10")
    found += collector.push(after, sequence=header.sequence + 1, timestamp=header.timestamp + 1, marker=True)
    assert collector.dropped == 0
    assert [unit.rtp_timestamp for unit in found] == [unit.rtp_timestamp for unit in wanted if unit.keyframe]
    assert all(unit.nals in [whole.nals for whole in wanted] for unit in found)


@pytest.mark.parametrize("name", [name for name in RECORDINGS if "refresh" in name])
def test_keyframe_order_of_intra_refresh_says_when_the_picture_is_whole(name: str) -> None:
    depacketizer = Depacketizer(codec_of(name))
    keyframes = [unit for packet in recorded(name) for unit in depacketizer.push_packet(packet) if unit.keyframe]
    assert [unit.recovers_in > 0 for unit in keyframes] == [False, True, True, True]


@BOTH
def test_a_recovery_point_says_after_how_many_pictures(codec: VideoCodec) -> None:
    assert recovery_point(codec, RECOVERED_AT_ONCE[codec]) == 0
    assert recovery_point(codec, b"\x01\x02ab" + RECOVERED_LATER[codec]) == (8 if codec is H264 else 5)
    assert recovery_point(codec, b"\xff\x01\x00\x80") is None
    assert recovery_point(codec, b"\x06\xff") is None
    assert pictures_to_recover(codec, [nal(codec, 1, RECOVERED_AT_ONCE[codec])]) is None

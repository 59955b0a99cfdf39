"""Round trips through a packetiser of the test's own, for both codecs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import Part, VideoCodec, begins_picture, keyframe_hash, nal_type, part_of, video_codec
from vonggac.media.rtp import build_rtp
from vonggac.net.errors import MalformedError

H264, H265 = VideoCodec.H264, VideoCodec.H265
BOTH = pytest.mark.parametrize("codec", [H264, H265])


def nal(codec: VideoCodec, kind: int, body: bytes) -> bytes:
    return (bytes([0x60 | kind]) if codec is H264 else bytes([kind << 1, 1])) + body


def sets(codec: VideoCodec) -> list[bytes]:
    kinds = (7, 8) if codec is H264 else (32, 33, 34)
    return [nal(codec, kind, b"parameters") for kind in kinds]


def idr(codec: VideoCodec, size: int = 5000, first: bool = True) -> bytes:
    return nal(codec, 5 if codec is H264 else 19, bytes([0x88 if first else 0x08]) + b"\xab" * size)


def inter(codec: VideoCodec, size: int = 100) -> bytes:
    return nal(codec, 1, b"\x9a" + b"\xcd" * size)


def aggregate(codec: VideoCodec, nals: list[bytes]) -> bytes:
    head = b"\x78" if codec is H264 else bytes([48 << 1, 1])
    return head + b"".join(len(part).to_bytes(2, "big") + part for part in nals)


def fragments(codec: VideoCodec, unit: bytes, size: int = 1200) -> list[bytes]:
    head = 1 if codec is H264 else 2
    kind = nal_type(codec, unit)
    indicator = bytes([unit[0] & 0xE0 | 28]) if codec is H264 else bytes([unit[0] & 0x81 | 49 << 1, unit[1]])
    pieces = [unit[at : at + size] for at in range(head, len(unit), size)]
    return [
        indicator + bytes([(0x80 if at == 0 else 0) | (0x40 if at == len(pieces) - 1 else 0) | kind]) + piece
        for at, piece in enumerate(pieces)
    ]


def packetize(codec: VideoCodec, nals: list[bytes]) -> list[bytes]:
    """Small neighbours aggregated, large ones fragmented."""
    small = [unit for unit in nals if len(unit) < 60]
    rest = [unit for unit in nals if len(unit) >= 60]
    payloads = [aggregate(codec, small)] if len(small) > 1 else small
    for unit in rest:
        payloads += fragments(codec, unit) if len(unit) > 1200 else [unit]
    return payloads


class Sender:
    """Numbers and stamps payloads, a picture at a time."""

    def __init__(self, codec: VideoCodec, sequence: int = 65_530, *, marker: bool = True) -> None:
        self.codec = codec
        self.sequence = sequence
        self.timestamp = 2**32 - 7200
        self.marker = marker

    def picture(self, nals: list[bytes]) -> list[bytes]:
        payloads = packetize(self.codec, nals)
        packets = []
        for at, payload in enumerate(payloads):
            packets.append(
                build_rtp(
                    payload,
                    payload_type=96,
                    sequence=self.sequence,
                    timestamp=self.timestamp,
                    ssrc=1,
                    marker=self.marker and at == len(payloads) - 1,
                )
            )
            self.sequence += 1
        self.timestamp += 3600
        return packets


def collect(depacketizer: Depacketizer, packets: list[bytes]) -> list[AccessUnit]:
    return [unit for packet in packets for unit in depacketizer.push_packet(packet)]


@BOTH
@pytest.mark.parametrize("marker", [True, False])
def test_pictures_come_back_as_they_were_sent(codec: VideoCodec, marker: bool) -> None:
    sender = Sender(codec, marker=marker)
    pictures = [[*sets(codec), idr(codec)], [inter(codec)], [inter(codec, 9000)], [inter(codec)]]
    packets = [packet for picture in pictures for packet in sender.picture(picture)]
    depacketizer = Depacketizer(codec)
    units = collect(depacketizer, packets)
    whole = pictures if marker else pictures[:-1]  # without markers the last one is not known to be over
    assert [unit.nals for unit in units] == whole
    assert [unit.keyframe for unit in units] == [True, False, False, False][: len(whole)]
    assert (depacketizer.dropped, depacketizer.missing) == (0, 0)


@BOTH
def test_a_picture_with_a_missing_packet_is_dropped_and_the_next_is_whole(codec: VideoCodec) -> None:
    sender = Sender(codec)
    packets = [sender.picture([*sets(codec), idr(codec)]), sender.picture([inter(codec)])]
    for missing in range(1, len(packets[0])):
        depacketizer = Depacketizer(codec)
        sent = [packet for at, packet in enumerate(packets[0]) if at != missing] + packets[1]
        units = collect(depacketizer, sent)
        assert [unit.nals for unit in units] == [[inter(codec)]]
        assert (depacketizer.dropped, depacketizer.missing) == (1, 1)


@BOTH
def test_joining_in_mid_picture_gives_no_half_picture(codec: VideoCodec) -> None:
    sender = Sender(codec)
    packets = sender.picture([idr(codec)])[2:] + sender.picture([inter(codec)])
    assert [unit.nals for unit in collect(Depacketizer(codec), packets)] == [[inter(codec)]]


@BOTH
def test_parameter_sets_closed_by_a_marker_belong_to_the_next_picture(codec: VideoCodec) -> None:
    sender = Sender(codec)
    packets = sender.picture(sets(codec)) + sender.picture([idr(codec)])
    (unit,) = collect(Depacketizer(codec), packets)
    assert (unit.nals, unit.keyframe) == ([*sets(codec), idr(codec)], True)


@BOTH
def test_late_and_doubled_packets_change_nothing(codec: VideoCodec) -> None:
    packets = Sender(codec).picture([idr(codec)])
    doubled = [packets[0], packets[0], *packets[1:], packets[1]]
    depacketizer = Depacketizer(codec)
    assert [unit.nals for unit in collect(depacketizer, doubled)] == [[idr(codec)]]
    assert depacketizer.missing == 0


@BOTH
def test_an_endless_picture_is_dropped_at_the_limit(codec: VideoCodec) -> None:
    sender = Sender(codec)
    depacketizer = Depacketizer(codec, max_unit_bytes=10_000)
    assert collect(depacketizer, sender.picture([idr(codec, 50_000)])) == []
    assert depacketizer.dropped == 1
    assert len(collect(depacketizer, sender.picture([inter(codec)]))) == 1


@BOTH
def test_countless_nal_units_are_dropped_at_the_limit(codec: VideoCodec) -> None:
    depacketizer = Depacketizer(codec, max_unit_nals=10)
    assert collect(depacketizer, Sender(codec).picture([inter(codec, 5)] * 11)) == []
    assert depacketizer.dropped == 1


@BOTH
def test_annex_b_strings_inside_packets_are_taken_apart(codec: VideoCodec) -> None:
    string = b"\x00\x00\x00\x01" + b"\x00\x00\x00\x01".join([*sets(codec), idr(codec, 20)])
    (unit,) = collect(Depacketizer(codec), Sender(codec).picture([string]))
    assert unit.nals == [*sets(codec), idr(codec, 20)]


@BOTH
def test_the_first_slice_says_what_a_picture_is(codec: VideoCodec) -> None:
    first, *later = fragments(codec, idr(codec))
    sei = nal(codec, 6 if codec is H264 else 39, b"sei")
    assert part_of(codec, first) is Part.KEYFRAME
    assert part_of(codec, memoryview(idr(codec, 20))) is Part.KEYFRAME
    assert part_of(codec, aggregate(codec, [sei, *sets(codec), idr(codec, 9)])) is Part.KEYFRAME
    assert part_of(codec, b"\0\0\0\1" + b"\0\0\1".join([sei, *sets(codec), idr(codec, 20)])) is Part.KEYFRAME
    assert part_of(codec, aggregate(codec, [*sets(codec), inter(codec, 5)])) is Part.PICTURE
    assert {part_of(codec, lead) for lead in (*sets(codec), sei, aggregate(codec, sets(codec)), b"")} == {Part.LEAD}
    assert {part_of(codec, piece) for piece in fragments(codec, sets(codec)[0], 4)} == {Part.LEAD}
    rest = [*later, idr(codec, 20, first=False), fragments(codec, idr(codec, first=False))[0]]
    assert {part_of(codec, payload) for payload in rest} == {Part.REST}


@BOTH
def test_an_inter_picture_begins_a_picture_but_no_keyframe(codec: VideoCodec) -> None:
    assert begins_picture(codec, inter(codec))
    assert begins_picture(codec, fragments(codec, inter(codec, 5000))[0])
    assert not begins_picture(codec, fragments(codec, inter(codec, 5000))[1])
    assert not begins_picture(codec, idr(codec, first=False))
    assert not begins_picture(codec, b"")


@BOTH
def test_the_hash_survives_packing_and_sees_every_bit_of_the_picture(codec: VideoCodec) -> None:
    slices = [idr(codec, 50), idr(codec, 60, first=False)]
    expected = keyframe_hash(codec, slices)
    assert len(expected) == 32
    assert keyframe_hash(codec, [*sets(codec), slices[0] + b"\0", slices[1] + b"\0\0"]) == expected
    assert keyframe_hash(codec, slices[::-1]) != expected
    assert keyframe_hash(codec, slices[:1]) != expected
    assert keyframe_hash(codec, [slices[0][:-1] + b"\xaa", slices[1]]) != expected


def test_only_two_codecs_are_known() -> None:
    assert [video_codec(name) for name in ("h264", "HEVC", "H265", "JPEG")] == [H264, H265, H265, None]


@BOTH
@given(st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 3), st.booleans()), max_size=30))
def test_any_payload_raises_nothing_and_stays_bounded(
    codec: VideoCodec, payloads: list[tuple[bytes, int, bool]]
) -> None:
    depacketizer = Depacketizer(codec, max_unit_bytes=200)
    for sequence, (payload, timestamp, marker) in enumerate(payloads):
        assert part_of(codec, payload) in Part
        for unit in depacketizer.push(payload, sequence=sequence, timestamp=timestamp, marker=marker):
            assert 0 < sum(map(len, unit.nals)) <= 200


def test_a_packet_that_is_no_rtp_is_refused() -> None:
    with pytest.raises(MalformedError):
        Depacketizer(H264).push_packet(b"garbage")


def push(depacketizer: Depacketizer, payloads: list[bytes]) -> list[AccessUnit]:
    """One picture's payloads, numbered without a gap, the marker on the last."""
    return [
        unit
        for number, payload in enumerate(payloads)
        for unit in depacketizer.push(payload, sequence=number, timestamp=1, marker=number == len(payloads) - 1)
    ]


@BOTH
def test_an_empty_packet_costs_no_picture(codec: VideoCodec) -> None:
    first, *rest = fragments(codec, idr(codec))
    (unit,) = push(Depacketizer(codec), [first, b"", *rest, b""])
    assert unit.nals == [idr(codec)]


@BOTH
def test_the_last_fragment_may_be_empty(codec: VideoCodec) -> None:
    *before, last = fragments(codec, idr(codec))
    head = 2 if codec is H264 else 3
    opened = last[: head - 1] + bytes([last[head - 1] & ~0x40]) + last[head:]
    (unit,) = push(Depacketizer(codec), [*before, opened, last[:head]])
    assert unit.nals == [idr(codec)]


@BOTH
def test_a_unit_that_never_ends_is_no_whole_picture(codec: VideoCodec) -> None:
    depacketizer = Depacketizer(codec)
    cut_off = fragments(codec, idr(codec))[:-1]
    assert push(depacketizer, [*cut_off, *fragments(codec, idr(codec, first=False))]) == []
    assert depacketizer.dropped == 1


@BOTH
def test_a_packet_of_a_reserved_type_is_left_out(codec: VideoCodec) -> None:
    private = b"\x7emaker" if codec is H264 else bytes([60 << 1, 1]) + b"maker"
    (unit,) = push(Depacketizer(codec), [idr(codec, 20), private, idr(codec, 20, first=False), private])
    assert unit.nals == [idr(codec, 20), idr(codec, 20, first=False)]


@BOTH
def test_zeros_behind_aggregated_units_are_padding(codec: VideoCodec) -> None:
    (unit,) = push(Depacketizer(codec), [aggregate(codec, [*sets(codec), idr(codec, 20)]) + bytes(4)])
    assert unit.nals == [*sets(codec), idr(codec, 20)]


@BOTH
def test_an_aggregate_whose_last_unit_is_cut_off_is_no_whole_picture(codec: VideoCodec) -> None:
    whole = aggregate(codec, [*sets(codec), idr(codec, 20)])
    for missing in range(1, 20):
        depacketizer = Depacketizer(codec)
        assert push(depacketizer, [whole[:-missing]]) == []
        assert depacketizer.dropped == 1


@BOTH
def test_a_picture_whose_last_slice_is_missing_is_not_whole(codec: VideoCodec) -> None:
    depacketizer = Depacketizer(codec)
    assert depacketizer.push(idr(codec, 20), sequence=0, timestamp=1, marker=False) == []
    (unit,) = depacketizer.push(inter(codec), sequence=2, timestamp=2, marker=True)
    assert (unit.rtp_timestamp, depacketizer.dropped, depacketizer.missing) == (2, 1, 1)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.rtcp import (
    MAX_COMPOUND,
    Goodbye,
    GoodbyeWatch,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    build_goodbye,
    build_receiver_report,
    build_sender_report,
    is_rtcp,
    ntp_from_unix,
    ntp_to_unix,
    parse_rtcp,
)
from vonggac.media.rtp import JitterEstimator, SequenceTracker, build_rtp, interleave, parse_rtp
from vonggac.net.errors import MalformedError, PeerError


def track(sequences: list[int]) -> SequenceTracker:
    tracker = SequenceTracker()
    for sequence in sequences:
        tracker.update(sequence & 0xFFFF)
    return tracker


def test_a_packet_reads_back_as_built() -> None:
    packet = build_rtp(b"pay", payload_type=96, sequence=65535, timestamp=2**32 - 1, ssrc=7, marker=True)
    header = parse_rtp(packet)
    assert header[:5] == (96, True, 65535, 2**32 - 1, 7)
    assert packet[header.payload_start : header.payload_end] == b"pay"


def test_csrc_extension_and_padding_are_stepped_over() -> None:
    head = bytes([0x80 | 0x20 | 0x10 | 2, 96]) + bytes(10) + b"csr1csr2" + b"\xbe\xde\x00\x01" + b"ext!"
    packet = head + b"payload" + b"\x00\x00\x03"
    frame = interleave(0, packet)
    header = parse_rtp(frame, 4, len(frame))
    assert frame[header.payload_start : header.payload_end] == b"payload"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x80" * 11,
        b"\x00" * 12,
        bytes([0x8F, 96]) + bytes(10),
        bytes([0x90, 96]) + bytes(10),
        bytes([0x90, 96]) + bytes(10) + b"\x00\x00\x00\x02abcd",
        bytes([0xA0, 96]) + bytes(10) + b"\xff",
    ],
)
def test_a_packet_whose_lengths_do_not_fit_is_refused(packet: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_rtp(packet)


def test_an_interleaved_frame_has_its_limits() -> None:
    with pytest.raises(MalformedError):
        interleave(0, bytes(65536))
    with pytest.raises(MalformedError):
        interleave(256, b"")


def test_nothing_is_lost_over_the_wrap() -> None:
    tracker = track(list(range(65000, 65000 + 200_000)))
    assert (tracker.received, tracker.lost, tracker.reordered, tracker.duplicates) == (200_000, 0, 0, 0)
    assert tracker.highest == 65000 + 199_999


def test_gaps_are_lost_also_across_the_wrap() -> None:
    tracker = track([65533, 65534, 65535 + 3, 65535 + 4])
    assert (tracker.received, tracker.lost, tracker.expected) == (4, 3, 7)


def test_a_late_packet_takes_its_loss_back() -> None:
    tracker = track([10, 11, 13, 14, 12])
    assert (tracker.received, tracker.lost, tracker.reordered) == (5, 0, 1)


def test_a_doubled_packet_is_no_gain() -> None:
    tracker = track([10, 11, 11, 10, 12])
    assert (tracker.received, tracker.lost, tracker.duplicates) == (3, 0, 2)


def test_a_packet_from_before_the_first_counts_nowhere() -> None:
    tracker = track([10, 9, 11])
    assert (tracker.received, tracker.lost, tracker.duplicates, tracker.reordered) == (2, 0, 0, 0)


def test_a_long_gap_counts_when_the_next_packet_confirms_it() -> None:
    tracker = track([0, 1, 10_001, 10_002, 10_003])
    assert (tracker.received, tracker.lost, tracker.restarts) == (5, 9_999, 0)


def test_in_a_few_seconds_a_long_gap_is_a_sender_that_begins_anew() -> None:
    tracker = SequenceTracker(brief=True)
    for sequence in (0, 1, 10_001, 10_002, 10_004, 5, 6):
        tracker.update(sequence)
    assert (tracker.received, tracker.lost, tracker.restarts) == (7, 1, 2)


def test_one_broken_packet_is_no_loss() -> None:
    tracker = track([0, 1, 30_000, 2, 3])
    assert (tracker.received, tracker.lost, tracker.restarts) == (4, 0, 0)


def test_a_sender_that_begins_anew_loses_nothing() -> None:
    tracker = track([20_000, 20_001, 20_003, 5, 6, 7])
    assert (tracker.received, tracker.lost, tracker.restarts) == (6, 1, 1)


@given(st.integers(0, 65535), st.sets(st.integers(1, 500), max_size=60))
def test_the_sums_are_right_whatever_is_missing_or_mixed(first: int, missing: set[int]) -> None:
    sent = [number for number in range(502) if number not in missing]
    for at in range(1, len(sent) - 2, 2):  # each pair swapped: never further than the window
        sent[at], sent[at + 1] = sent[at + 1], sent[at]
    tracker = track([first + number for number in sent])
    assert tracker.received == len(sent)
    assert tracker.lost == len(missing)


def test_jitter_is_zero_for_a_steady_stream_and_follows_rfc_3550_else() -> None:
    steady = JitterEstimator(90_000)
    for number in range(100):
        steady.update((2**32 - 1000 + number * 3600) & 0xFFFFFFFF, number * 0.04)
    assert steady.jitter == pytest.approx(0, abs=1e-3)
    late = JitterEstimator(90_000)
    late.update(0, 0.0)
    late.update(3600, 0.05)
    assert late.jitter == pytest.approx(900 / 16)
    assert late.jitter_s == pytest.approx(0.01 / 16)


def test_reports_read_back_as_built() -> None:
    block = ReportBlock(9, 25, -3, 70_000, 12, 0xAABBCCDD, 65536)
    sender = SenderReport(5, ntp_from_unix(1_763_942_400.5), 90_000, 10, 1000, (block,))
    receiver = ReceiverReport(6, (block, ReportBlock(10)))
    data = build_sender_report(sender, cname="vonggac") + build_receiver_report(receiver) + build_goodbye(5)
    assert is_rtcp(data)
    assert parse_rtcp(data) == [sender, receiver, Goodbye((5,))]
    assert sender.unix_s == pytest.approx(1_763_942_400.5)


def test_a_goodbye_counts_of_the_sender_that_reports_on_the_channel() -> None:
    watch = GoodbyeWatch()
    watch.read([SenderReport(5, 1, 1, 1, 1), Goodbye((9,))])
    assert watch.goodbyes == 0
    watch.read([Goodbye((9, 5))])
    assert watch.goodbyes == 1
    # Another SSRC from now on, whose first report has not come.
    watch.read([ReceiverReport(6), Goodbye((6,))])
    assert watch.goodbyes == 2


def test_ntp_begins_in_1900() -> None:
    assert ntp_from_unix(0) >> 32 == 2_208_988_800
    assert ntp_to_unix(2_208_988_800 << 32) == 0


def test_rtp_is_not_taken_for_rtcp() -> None:
    assert not is_rtcp(build_rtp(b"", payload_type=96, sequence=0, timestamp=0, ssrc=0, marker=True))
    assert not is_rtcp(b"")


@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_but_rtsp_error(data: bytes) -> None:
    for parse in (parse_rtp, parse_rtcp):
        for packet in (data, b"\x80\xc8" + data, b"\xb3\x60" + data):
            try:
                assert parse(packet) is not None
            except PeerError:
                continue


def test_a_compound_report_is_refused_wherever_it_is_cut_off() -> None:
    report = build_receiver_report(ReceiverReport(1, (ReportBlock(2),)), cname="camera")
    bare = len(build_receiver_report(ReceiverReport(1, (ReportBlock(2),))))
    whole = report + build_goodbye(1)
    borders = {bare, len(report), len(whole)}
    for size in range(1, len(whole) + 1):
        if size in borders:
            parse_rtcp(whole[:size])
            continue
        with pytest.raises(MalformedError):
            parse_rtcp(whole[:size])


def test_a_hostile_compound_packet_is_not_read_to_its_end() -> None:
    goodbye = build_goodbye(7)
    assert len(parse_rtcp(goodbye * MAX_COMPOUND)) == MAX_COMPOUND
    with pytest.raises(MalformedError):
        parse_rtcp(goodbye * (MAX_COMPOUND + 1))

"""What is measured of a stream, on the stream's own clock."""

import random

import pytest

from prober.probes.camera.stream_stats import MAX_FRAMES, TIMED_PICTURES, VideoWatch
from vonggac.media.depacketizer import Depacketizer
from vonggac.media.h26x import VideoCodec
from vonggac.media.picture_order import Unevenness
from vonggac.media.rtp import SequenceTracker, build_rtp, interleave
from vonggac.rtsp import MediaBatch
from vonggac.testing.recordings import PICTURES, RECORDINGS, batches, codec_of, recorded

CLOCK_RATE = 90_000
TICKS = 3600  # 25 pictures a second
KEY, INTER = b"\x65\x88" + b"k" * 998, b"\x41\x9a" + b"i" * 98
AUD, SEI, SPS, PPS = b"\x09\xf0", b"\x06\x05\x01\x80", b"\x67\x42\x00\x1e", b"\x68\xce\x38\x80"


class Camera:
    """Sends frames from a given timestamp and sequence number on."""

    def __init__(self, *, timestamp: int = 0, sequence: int = 0) -> None:
        self.timestamp, self.sequence, self.ssrc, self.now_s = timestamp, sequence, 1, 5.0
        self.watch = VideoWatch(
            codec=VideoCodec.H264, clock_rate=CLOCK_RATE, channel=0, rtcp_channel=1, clock=lambda: self.now_s
        )

    def send(self, *nals: bytes, channel: int = 0) -> None:
        frames, data = [], b""
        for nal in nals:
            packet = build_rtp(
                nal,
                payload_type=96,
                sequence=self.sequence & 0xFFFF,
                timestamp=self.timestamp,
                ssrc=self.ssrc,
                marker=nal is nals[-1],
            )
            frame = interleave(channel, packet)
            frames.append((channel, len(data), len(data) + len(frame)))
            data += frame
            self.sequence += 1
        self.timestamp += TICKS
        self.watch.feed(MediaBatch(data, frames))

    def group(self, *leading: bytes) -> None:
        """A keyframe and 24 others: one second."""
        self.send(*leading, KEY)
        for _ in range(24):
            self.send(INTER)


@pytest.mark.parametrize("timestamp", [0, 2**32 - 10 * TICKS], ids=["plain", "over the wrap"])
async def test_a_group_of_pictures_is_measured(timestamp: int) -> None:
    camera = Camera(timestamp=timestamp, sequence=2**16 - 5)
    camera.group()
    camera.group()
    watch = camera.watch
    assert watch.keyframe.result().nals == [KEY]
    assert watch.second_keyframe.done()
    assert watch.fps() == 25.0
    assert watch.gop_s() == 1.0
    assert watch.bitrate_kbps() == pytest.approx((1000 + 24 * 100) * 8 / 1000)
    assert (watch.packets, watch.packets_lost, watch.first_packet_at) == (50, 0, 5.0)


async def test_a_keyframe_in_the_middle_of_what_comes_is_found() -> None:
    camera = Camera()
    for _ in range(7):
        camera.send(INTER)
    assert not camera.watch.keyframe.done()
    camera.group()
    assert camera.watch.keyframe.done()
    assert camera.watch.gop_s() is None


@pytest.mark.parametrize("at", [1, 12, 24, 30])
@pytest.mark.parametrize("leap_s", [-7200, -20, 20, 280, 7200])
@pytest.mark.parametrize("sequence_leap", [0, 5_000, 40_000])
async def test_a_camera_that_sets_its_clock_or_begins_anew_is_neither_slow_nor_lossy_nor_uneven(
    at: int, leap_s: int, sequence_leap: int
) -> None:
    """As after its NTP synchronisation, or when its encoder is set anew and keeps its SSRC."""
    camera = Camera(timestamp=2**31)
    for number in range(50):
        if number == at:
            camera.timestamp += leap_s * CLOCK_RATE
            camera.sequence += sequence_leap
        camera.timestamp %= 2**32
        camera.send(KEY if number % 25 == 0 else INTER)
        camera.now_s += 0.04
    watch = camera.watch
    assert watch.keyframe.done()
    assert watch.clock_jumped()
    assert (watch.fps(), watch.gop_s(), watch.bitrate_kbps()) == (None, None, None)
    assert (watch.packets, watch.packets_lost) == (50, 0)
    assert (watch.jitter_ms() or 0.0) < 1.0


@pytest.mark.parametrize("arrives_every_s", [0.0, 2.0])
async def test_a_camera_that_sends_seldom_is_slow_and_does_not_jump(arrives_every_s: float) -> None:
    camera = Camera()
    for number in range(6):
        camera.timestamp = number * 2 * CLOCK_RATE
        camera.send(KEY if number % 3 == 0 else INTER)
        camera.now_s += arrives_every_s
    assert not camera.watch.clock_jumped()
    assert (camera.watch.fps(), camera.watch.gop_s()) == (0.5, 6.0)


@pytest.mark.parametrize("leading", [(SPS, PPS), (AUD, SPS, PPS), (AUD, SEI, SPS, PPS), (SEI,)])
async def test_a_keyframe_may_begin_with_a_delimiter_or_sei(leading: tuple[bytes, ...]) -> None:
    camera = Camera()
    camera.send(INTER)
    camera.group(*leading)
    camera.group(*leading)
    unit = camera.watch.keyframe.result()
    assert unit.nals[-1] == KEY
    assert set(unit.nals) >= {SPS, PPS} & set(leading)
    assert camera.watch.gop_s() == 1.0


async def test_sei_before_an_inter_picture_is_no_keyframe() -> None:
    camera = Camera()
    for _ in range(30):
        camera.send(AUD, SEI, INTER)
    assert not camera.watch.keyframe.done()
    assert camera.watch.fps() == 25.0


async def test_a_missing_packet_is_counted_and_spoils_its_keyframe_only() -> None:
    camera = Camera()
    camera.send(INTER)
    camera.sequence += 1
    camera.send(KEY[:1] + b"\x01" + KEY[2:])
    assert not camera.watch.keyframe.done()
    camera.group()
    assert camera.watch.keyframe.done()
    assert camera.watch.packets_lost == 1


async def test_a_new_source_of_the_stream_has_lost_nothing() -> None:
    camera = Camera(sequence=500)
    camera.group()
    camera.sequence += 1
    camera.group()
    # Encoders that are set anew (day and night) begin with another SSRC and any number (RFC 3550 §8).
    for sequence in (30_000, 2_000):
        camera.ssrc, camera.sequence = camera.ssrc + 1, sequence
        camera.group()
    camera.sequence += 2
    camera.group()
    assert (camera.watch.packets, camera.watch.packets_lost) == (125, 3)


@pytest.mark.parametrize("hours", [1, -1, 6])
@pytest.mark.parametrize("lasting", [False, True], ids=["one picture", "from then on"])
async def test_pictures_stamped_hours_off_have_no_rate(hours: int, lasting: bool) -> None:
    camera, off = Camera(timestamp=2**31), hours * 3600 * CLOCK_RATE
    camera.group()
    camera.timestamp += off
    camera.send(INTER)
    if not lasting:
        camera.timestamp -= off
    camera.group()
    watch = camera.watch
    assert watch.clock_jumped()
    assert (watch.fps(), watch.span_s()) == (None, 0.0)
    if lasting:
        assert (watch.gop_s(), watch.bitrate_kbps()) == (None, None)


async def test_minutes_of_stream_that_a_recorder_hands_out_at_once_have_their_rate() -> None:
    camera = Camera()
    for _ in range(100):
        camera.group()
    assert not camera.watch.clock_jumped()
    assert camera.watch.fps() == 25.0


async def test_other_channels_are_not_measured() -> None:
    camera = Camera()
    camera.send(KEY, channel=2)
    assert camera.watch.packets == 0


async def test_one_picture_has_no_rate() -> None:
    camera = Camera()
    camera.send(KEY)
    watch = camera.watch
    assert not watch.keyframe.done()
    watch.end_picture()
    assert watch.keyframe.done()
    assert (watch.fps(), watch.gop_s(), watch.bitrate_kbps()) == (None, None, None)


async def test_what_is_no_rtp_is_counted_and_passed_over() -> None:
    camera = Camera()
    frame = interleave(0, b"garbage")
    camera.watch.feed(MediaBatch(frame, [(0, 0, len(frame))]))
    camera.send(KEY)
    camera.send(INTER)
    assert camera.watch.malformed == 1
    assert camera.watch.keyframe.done()


async def test_a_timestamp_for_every_packet_does_not_fill_the_memory() -> None:
    camera = Camera()
    for _ in range(MAX_FRAMES + 100):
        camera.send(INTER)
    assert camera.watch.packets == MAX_FRAMES + 100
    assert camera.watch.fps() == 25.0


@pytest.mark.parametrize(
    "order",
    [
        [65534, 65535, 0, 1, 2],
        [1, 2, 5, 6, 7],
        [1, 2, 4, 3, 5, 6],
        [1, 2, 4, 3, 4, 5, 6],
        [1, 2, 2, 3, 3, 3, 4],
        [1, 2, 9000, 3, 4],
        [1, 2, 9000, 9001, 9002],
        [500, 501, 7, 8, 9, 10],
    ],
    ids=["wrap", "gap", "late", "late, then doubled", "doubled", "one astray", "jump", "restart"],
)
async def test_packets_in_any_order_are_counted_as_one_by_one(order: list[int]) -> None:
    camera, counted = Camera(), SequenceTracker(brief=True)
    data, frames = b"", []
    for sequence in order:
        counted.update(sequence)
        packet = build_rtp(INTER, payload_type=96, sequence=sequence, timestamp=0, ssrc=1)
        frame = interleave(0, packet)
        frames.append((0, len(data), len(data) + len(frame)))
        data += frame
    camera.watch.feed(MediaBatch(data, frames))
    assert (camera.watch.packets, camera.watch.packets_lost) == (counted.received, counted.lost)


def fragments(nal: bytes, size: int) -> list[bytes]:
    """The FU-A packets of a NAL unit (RFC 6184 §5.8)."""
    parts = [nal[at : at + size] for at in range(1, len(nal), size)]
    indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 0x1F
    ends = [0x80, *[0] * (len(parts) - 2), 0x40]
    return [bytes([indicator, end | kind]) + part for end, part in zip(ends, parts, strict=True)]


def fragment(payload: bytes, picture: int, sequence: int, *, padded: bool = False) -> bytes:
    padding = b"\0\0\3" if padded else b""
    packet = bytearray(
        build_rtp(payload + padding, payload_type=96, sequence=sequence, timestamp=picture * TICKS, ssrc=1)
    )
    packet[0] |= 0x20 if padded else 0
    return bytes(packet)


@pytest.mark.parametrize(
    "lost", [(), (45,), (41, 42, 60), (48, 49), (72,)], ids=["whole", "begin", "some", "end", "middle"]
)
@pytest.mark.parametrize("at_once", [1, 7, 1000])
async def test_fragments_are_measured_however_they_come(lost: tuple[int, ...], at_once: int) -> None:
    camera, counted = Camera(), SequenceTracker()
    sizes: dict[int, int] = {}
    frames: list[bytes] = []
    first = sequence = 65_500
    for picture in range(16):
        nal = KEY if picture in {0, 5, 10} else INTER * 5
        for number, payload in enumerate(fragments(nal, 100)):
            following = (sequence + 1) & 0xFFFF
            if sequence - first not in lost:
                counted.update(sequence & 0xFFFF)
                sizes[picture] = sizes.get(picture, 0) + len(payload)
                frames.append(interleave(0, fragment(payload, picture, sequence & 0xFFFF, padded=number == 2)))
                # Sound that probes like the picture's next packet.
                frames.append(interleave(2, fragment(payload, picture, following)))
            sequence += 1
    for at in range(0, len(frames), at_once):
        camera.watch.feed(MediaBatch(b"".join(frames[at : at + at_once]), []))
    watch, begun = camera.watch, list(sizes.values())[:-1]
    assert (watch.packets, watch.packets_lost) == (counted.received, counted.lost)
    assert watch.usual_picture_bytes() == sorted(begun)[len(begun) // 2]
    assert watch.gop_s() == 5 * TICKS / CLOCK_RATE
    assert watch.bitrate_kbps() == pytest.approx(sum(begun[:5]) * 8 / 1000 / (5 * TICKS / CLOCK_RATE), abs=0.1)


async def test_padding_and_extensions_are_no_payload() -> None:
    camera = Camera()
    extended = bytearray(build_rtp(b"\xbe\xde\x00\x01ABCD" + KEY, payload_type=96, sequence=0, timestamp=0, ssrc=1))
    extended[0] |= 0x10
    padded = bytearray(build_rtp(INTER + b"\0\0\3", payload_type=96, sequence=1, timestamp=TICKS, ssrc=1, marker=True))
    padded[0] |= 0x20
    for packet in (extended, padded):
        frame = interleave(0, bytes(packet))
        camera.watch.feed(MediaBatch(frame, [(0, 0, len(frame))]))
    assert camera.watch.keyframe.result().nals == [KEY]
    assert camera.watch.packets == 2
    assert camera.watch.malformed == 0


async def test_arrival_is_timed_for_the_first_pictures_only() -> None:
    now = [5.0]
    camera = Camera()
    camera.watch = VideoWatch(
        codec=VideoCodec.H264, clock_rate=CLOCK_RATE, channel=0, rtcp_channel=1, clock=lambda: now[0]
    )
    for _ in range(TIMED_PICTURES):
        assert not camera.watch.timed.done()
        camera.send(INTER)
        now[0] += TICKS / CLOCK_RATE
    # The next one shows that none comes any more that is shown before the last one.
    camera.send(INTER)
    assert camera.watch.timed.done()
    now[0] += 10.0
    camera.group()
    assert camera.watch.jitter_ms() == pytest.approx(0.0, abs=0.1)
    assert camera.watch.usual_picture_bytes() == len(INTER)


def jitter_ms(arrivals_s: list[float], order: list[int] | None = None) -> float | None:
    unevenness = Unevenness(CLOCK_RATE)
    for number, arrived_at in zip(order or range(len(arrivals_s)), arrivals_s, strict=True):
        unevenness.update(number * TICKS, arrived_at)
    return unevenness.jitter_ms()


def test_pictures_that_come_in_step_have_no_jitter() -> None:
    assert jitter_ms([5 + number / 25 for number in range(50)]) == 0.0


def test_a_burst_of_stored_pictures_at_the_start_is_no_jitter() -> None:
    assert jitter_ms([5.0] * 25 + [5 + number / 25 for number in range(1, 25)]) == 0.0


def test_random_delays_show_as_their_mean() -> None:
    chance = random.Random(1742)
    measured = jitter_ms([5 + number / 25 + chance.uniform(0, 0.03) for number in range(200)])
    assert measured == pytest.approx(15, abs=3)


def test_a_single_pause_weighs_little() -> None:
    arrivals = [5 + max(number, 14 if 10 <= number < 14 else 0) / 25 for number in range(50)]
    measured = jitter_ms(arrivals)
    assert measured is not None
    assert measured < 10


def test_pictures_out_of_order_are_no_jitter() -> None:
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14]
    assert jitter_ms([5 + number / 25 for number in range(16)], order) == pytest.approx(0.0, abs=1)


def test_too_few_pictures_say_nothing() -> None:
    assert jitter_ms([5.0, 5.1, 5.2]) is None


@pytest.mark.parametrize("name", RECORDINGS)
async def test_keyframe_order_of_real_packetisers_is_measured(name: str) -> None:
    depacketizer = Depacketizer(codec_of(name))
    keyframes = [unit for packet in recorded(name) for unit in depacketizer.push_packet(packet) if unit.keyframe]
    watch = VideoWatch(codec=codec_of(name), clock_rate=CLOCK_RATE, channel=0, rtcp_channel=1, clock=lambda: 5.0)
    for batch in batches(name):
        watch.feed(batch)
    assert watch.keyframe.result() == keyframes[0]
    assert watch.second_keyframe.done()
    assert watch.gop_s() == pytest.approx(0.4, abs=0.09)
    assert (watch.pictures, watch.units_dropped, watch.packets_lost) == (PICTURES, 0, 0)

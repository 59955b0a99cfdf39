"""Which keyframes are found in what comes, whatever shape it has."""

import asyncio
from typing import Any

import pytest

from prober.probes.verification.centre_session import Source
from prober.probes.verification.readback import KeyframeHashes, ReadBack
from vonggac.auth import Credentials
from vonggac.bus import ServerClock
from vonggac.events import Cause
from vonggac.media.depacketizer import Depacketizer
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.media.rtp import build_rtp, parse_rtp
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.testing.recordings import KEYFRAMES, RECORDINGS, codec_of, recorded
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

IDR, SLICE = b"\x65\x88key", b"\x41\x9ainter"
SPS, PPS, AUD, SEI = b"\x67\x42sps", b"\x68\xcepps", b"\x09\x10", b"\x06\x05sei"
NETWORKS = AllowedNetworks.parse(["127.0.0.0/8"])


class Stream:
    """Packs NAL units one to a packet and feeds them."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.hashes = KeyframeHashes(VideoCodec.H264, lambda found, _: self.found.append(found))
        self._sequence = 65_530
        self._timestamp = 0

    def picture(self, *nals: bytes, marker: bool = True, lost: int | None = None) -> None:
        self._timestamp += 3600
        for number, nal in enumerate(nals):
            packet = build_rtp(
                nal,
                payload_type=96,
                sequence=self._sequence,
                timestamp=self._timestamp,
                ssrc=7,
                marker=marker and number == len(nals) - 1,
            )
            self._sequence = (self._sequence + 1) & 0xFFFF
            if number != lost:
                header = parse_rtp(packet)
                self.hashes.push(header, memoryview(packet)[header.payload_start : header.payload_end])


def hash_of(*nals: bytes) -> str:
    return keyframe_hash(VideoCodec.H264, nals).hex()


@pytest.fixture
def stream() -> Stream:
    return Stream()


def test_keyframes_are_hashed_and_inter_frames_are_not(stream: Stream) -> None:
    stream.picture(SLICE)
    for number in range(3):
        stream.picture(SPS, PPS, IDR + bytes([number + 1]))
        stream.picture(SLICE)
    assert stream.found == [hash_of(IDR + bytes([number + 1])) for number in range(3)]


def test_delimiter_and_sei_before_a_keyframe_change_nothing(stream: Stream) -> None:
    stream.picture(AUD, SEI, SPS, PPS, IDR)
    stream.picture(AUD, SLICE)
    stream.picture(AUD, IDR)
    assert stream.found == [hash_of(IDR), hash_of(IDR)]


def test_a_sender_without_marker_bits_is_understood(stream: Stream) -> None:
    stream.picture(SPS, PPS, IDR, marker=False)
    stream.picture(SLICE, marker=False)
    assert stream.found == [hash_of(IDR)]


def test_parameter_sets_with_a_marker_of_their_own_belong_to_the_keyframe_behind_them(stream: Stream) -> None:
    stream.picture(SPS, PPS)
    stream.picture(IDR)
    # That a marker ends a picture is known when the next one has begun.
    stream.picture(SLICE)
    assert stream.found == [hash_of(IDR)]


def test_a_keyframe_with_a_missing_packet_is_not_hashed_and_the_next_one_is(stream: Stream) -> None:
    second = b"\x65\x08second slice"
    stream.picture(SPS, PPS, IDR, second, b"\x65\x08third slice", lost=3)
    stream.picture(SLICE)
    stream.picture(SPS, PPS, IDR, second)
    assert stream.found == [hash_of(IDR, second)]


async def play(source: Source) -> ReadBack:
    changed = asyncio.Event()
    readback = ReadBack(NETWORKS, changed.set, ServerClock().now)
    await readback.open(source, deadline_s=3.0)
    try:
        async with asyncio.timeout(5):
            await changed.wait()
    finally:
        await readback.close()
    return readback


async def test_h265_is_hashed(simulate: Any) -> None:
    sim = await simulate({"id": "gate", "codec": "h265"})
    readback = await play(Source(sim.cameras["gate"].url()))
    assert len(readback.seen.keyframes) == 1
    assert readback.seen.failure is None


async def test_a_codec_without_keyframe_hash_fails_with_its_cause(simulate: Any) -> None:
    sim = await simulate({"id": "gate"})
    await sim.cameras["gate"].set_fault("codec_unsupported", kind="mjpeg")
    readback = await play(Source(sim.cameras["gate"].url()))
    assert readback.seen.failure is not None
    assert readback.seen.failure.cause is Cause.CODEC_UNSUPPORTED


@pytest.mark.parametrize(
    ("challenge", "path", "accepted"),
    [
        ('Basic realm="centre"', "/key", False),
        ('Digest realm="centre", nonce="1", algorithm=SHA-999', "/key", None),
        ('Digest realm="centre", nonce="1", algorithm=SHA-999', "/{password}/key", False),
    ],
    ids=["sent", "not sent", "in the address"],
)
async def test_only_a_login_that_was_sent_is_refused(challenge: str, path: str, accepted: bool | None) -> None:
    async with ScriptedPeer(lambda _: reply(401, [("WWW-Authenticate", challenge)])) as centre:
        source = Source(f"rtsp://127.0.0.1:{centre.port}{path}", Credentials("viewer", "s3cret-Xem"))
        readback = await play(source)
    assert readback.seen.failure is not None
    assert (readback.seen.failure.cause, readback.login_accepted) == (Cause.AUTH_FAILED, accepted)


async def test_a_destination_that_repeats_the_password_does_not_make_it_known() -> None:
    async with ScriptedPeer(lambda _: reply(404, reason="nothing for s3cret-Xem here")) as centre:
        readback = await play(Source(f"rtsp://127.0.0.1:{centre.port}/key", Credentials("viewer", "s3cret-Xem")))
    assert readback.seen.failure is not None
    assert "404 nothing for *** here" in readback.seen.failure.detail


async def test_what_comes_that_is_no_rtp_is_passed_over() -> None:
    async with ScriptedPeer(ScriptedCamera(PLAY=lambda _: reply())) as peer:
        changed = asyncio.Event()
        readback = ReadBack(NETWORKS, changed.set, ServerClock().now)
        await readback.open(Source(f"rtsp://127.0.0.1:{peer.port}/key"), deadline_s=3.0)
        peer.writer.write(b"$\x00\x00\x03abc")
        peer.writer.close()
        async with asyncio.timeout(5):
            await changed.wait()
        assert readback.seen.keyframes == []
        assert readback.seen.failure is not None
        assert readback.seen.failure.cause is Cause.ENDED
        await readback.close()


@pytest.mark.parametrize("name", RECORDINGS)
def test_keyframe_order_of_real_packetisers_is_read_back(name: str) -> None:
    codec, found = codec_of(name), list[tuple[str, int]]()
    depacketizer = Depacketizer(codec)
    hashes = KeyframeHashes(codec, lambda value, stamp: found.append((value, stamp)))
    expected: list[tuple[str, int]] = []
    for packet in recorded(name):
        header = parse_rtp(packet)
        hashes.push(header, memoryview(packet)[header.payload_start : header.payload_end])
        expected += [
            (keyframe_hash(codec, unit.nals).hex(), unit.rtp_timestamp)
            for unit in depacketizer.push_packet(packet)
            if unit.keyframe
        ]
    assert found == expected
    assert len(found) == KEYFRAMES

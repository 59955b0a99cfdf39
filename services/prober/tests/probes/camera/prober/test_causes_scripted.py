"""Causes that only a camera with a strange script shows: each on a real socket."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from prober.domain.findings import CLOCK_JUMPED, StreamThresholds, check_stream
from prober.domain.result import ProbeResult
from prober.probes.camera.rtsp_probe import probe_rtsp
from prober.probes.camera.target import Target, Tools
from vonggac.auth import Credentials
from vonggac.events import Cause
from vonggac.events.prober import Verdict
from vonggac.media.rtcp import build_goodbye
from vonggac.media.rtp import build_rtp, interleave
from vonggac.rtsp import Request, Response
from vonggac.testing.rtsp import ScriptedPeer, reply

type Frames = list[list[bytes]]
type Answer = Callable[[Request], Response | bytes | None]


@dataclass
class Script:
    """Answers as a camera does. `sdp` is the description's media part, `packets` follow the answer to PLAY."""

    sdp: str
    packets: Sequence[bytes] = ()
    setup: Callable[[Request], Response] = field(
        default=lambda request: reply(
            headers=[("Session", "12"), ("Transport", request.headers.get("Transport") or "")]
        )
    )

    def __call__(self, request: Request) -> Response | bytes:
        match request.method:
            case "DESCRIBE":
                return reply(body=f"v=0\r\ns=-\r\nt=0 0\r\n{self.sdp}".encode())
            case "SETUP":
                return self.setup(request)
            case "PLAY":
                answer = reply(headers=[("CSeq", str(request.cseq))])
                return answer.encode() + b"".join(interleave(0, packet) for packet in self.packets)
            case _:
                return reply()


LOGIN = Credentials("viewer", "s3cret-Xem")
GOODBYE = interleave(1, build_goodbye(7))
VIDEO = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"


def with_parameter_sets(nals: Sequence[bytes]) -> str:
    encoded = ",".join(base64.b64encode(nal).decode() for nal in nals)
    return f"{VIDEO}a=fmtp:96 packetization-mode=1;sprop-parameter-sets={encoded}\r\n"


def single_nal_packets(frames: Sequence[Sequence[bytes]], *, first_sequence: int = 0) -> list[bytes]:
    """One packet a NAL unit, the marker on each frame's last; a frame every 1/25 s."""
    packets: list[bytes] = []
    for number, nals in enumerate(frames):
        for nal in nals:
            packets.append(
                build_rtp(
                    nal,
                    payload_type=96,
                    sequence=first_sequence + len(packets),
                    timestamp=3600 * number,
                    ssrc=7,
                    marker=nal is nals[-1],
                )
            )
    return packets


async def probe(
    answer: Callable[[Request], Response | bytes | None],
    tools: Tools,
    *,
    deadline_s: float = 3.0,
    credentials: Credentials | None = None,
) -> ProbeResult:
    async with ScriptedPeer(answer) as camera:
        return await probe_rtsp(Target(f"rtsp://127.0.0.1:{camera.port}/live", credentials, deadline_s), tools)


def then(script: Script, more: bytes) -> Callable[[Request], Response | bytes]:
    """`more` behind what follows the answer to PLAY."""

    def answer(request: Request) -> Response | bytes:
        said = script(request)
        return said + more if isinstance(said, bytes) else said

    return answer


async def test_a_keyframe_with_its_parameter_sets_in_the_stream_is_up(frames: Frames, tools: Tools) -> None:
    result = await probe(Script(VIDEO, single_nal_packets(frames)), tools)
    assert result.judgement.verdict is Verdict.UP
    assert result.media is not None
    assert (result.media.codec, result.media.width, result.media.height) == ("h264", 320, 180)


async def test_parameter_sets_may_come_in_the_description_alone(frames: Frames, tools: Tools) -> None:
    sets, picture = frames[0][:2], frames[0][2:]
    for described in (sets, sets[::-1]):
        script = Script(with_parameter_sets(described), single_nal_packets([picture, *frames[1:]]))
        assert (await probe(script, tools)).judgement.verdict is Verdict.UP


async def test_cause_decode_failed_without_any_parameter_set(frames: Frames, tools: Tools) -> None:
    result = await probe(Script(VIDEO, single_nal_packets([frames[0][2:]])), tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.DECODE_FAILED)


async def test_cause_decode_failed_when_the_keyframe_is_damaged(frames: Frames, tools: Tools) -> None:
    damaged = [nal[:2] + bytes(byte ^ 0x5A for byte in nal[2:]) if nal[0] & 31 == 5 else nal for nal in frames[0]]
    result = await probe(Script(VIDEO, single_nal_packets([damaged])), tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.DECODE_FAILED)
    assert result.media is not None
    assert (result.media.width, result.media.height) == (320, 180)


async def test_cause_no_keyframe_when_every_keyframe_lacks_a_packet(frames: Frames, tools: Tools) -> None:
    packets = single_nal_packets(frames)
    holed = [packet for packet in packets if packet[12] & 31 != 5 or packet[1] & 0x80]
    result = await probe(Script(VIDEO, holed), tools, deadline_s=0.5)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.NO_KEYFRAME)
    assert result.media is not None
    assert result.media.packets_lost


async def test_cause_no_track_when_there_is_only_sound(tools: Tools) -> None:
    result = await probe(Script("m=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\n"), tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.NO_TRACK)


async def test_cause_codec_unsupported_names_the_codec(tools: Tools) -> None:
    result = await probe(Script("m=video 0 RTP/AVP 26\r\na=control:trackID=0\r\n"), tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.CODEC_UNSUPPORTED)
    assert "JPEG" in (result.judgement.detail or "")
    assert result.media is not None
    assert result.media.codec == "jpeg"


async def test_cause_transport_unsupported(tools: Tools) -> None:
    script = Script(VIDEO, setup=lambda _: reply(461, reason="Unsupported transport"))
    assert (await probe(script, tools)).judgement.cause is Cause.TRANSPORT_UNSUPPORTED


async def test_cause_session_limit_of_an_overloaded_recorder(tools: Tools) -> None:
    script = Script(VIDEO, setup=lambda _: reply(500, reason="Internal Server Error"))
    assert (await probe(script, tools)).judgement.cause is Cause.SESSION_LIMIT


async def test_cause_server_error_when_play_fails_inside_the_camera(tools: Tools) -> None:
    script = Script(VIDEO)
    judgement = (await probe(lambda one: reply(500) if one.method == "PLAY" else script(one), tools)).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.DOWN, Cause.SERVER_ERROR)


async def test_cause_request_refused_when_the_camera_does_not_take_a_request(tools: Tools) -> None:
    script = Script(VIDEO)
    judgement = (await probe(lambda one: reply(400) if one.method == "PLAY" else script(one), tools)).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.DOWN, Cause.REQUEST_REFUSED)


async def test_cause_hung_up_when_the_connection_ends_without_a_word(tools: Tools) -> None:
    async with ScriptedPeer(lambda _: None) as camera:
        camera.answer = lambda _: camera.writer.close()
        target = Target(f"rtsp://127.0.0.1:{camera.port}/live", None, 2.0)
        judgement = (await probe_rtsp(target, tools)).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.DOWN, Cause.HUNG_UP)
    assert camera.methods[0] in ("OPTIONS", "DESCRIBE")


async def test_cause_protocol_error_when_the_media_is_no_rtp(tools: Tools) -> None:
    result = await probe(Script(VIDEO, [b"not rtp at all!!"] * 5), tools, deadline_s=0.5)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.PROTOCOL_ERROR)


async def test_cause_protocol_error_when_http_answers(tools: Tools) -> None:
    result = await probe(lambda _: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.PROTOCOL_ERROR)


async def test_cause_ended_when_the_camera_says_goodbye_before_its_first_keyframe(frames: Frames, tools: Tools) -> None:
    goodbye = b"TEARDOWN rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    result = await probe(then(Script(VIDEO, single_nal_packets([frames[1]])), goodbye), tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.ENDED)


async def test_cause_ended_when_the_camera_says_goodbye_by_rtcp(frames: Frames, tools: Tools) -> None:
    result = await probe(then(Script(VIDEO, single_nal_packets([frames[1]])), GOODBYE), tools, deadline_s=0.5)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.ENDED)
    assert "BYE" in (result.judgement.detail or "")


async def test_cause_no_media_of_a_camera_that_sends_sound_alone(tools: Tools) -> None:
    sound = b"".join(interleave(2, packet) for packet in single_nal_packets([[bytes(160)]] * 5))
    result = await probe(then(Script(VIDEO), sound), tools, deadline_s=0.5)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.NO_MEDIA)
    assert result.judgement.detail == "PLAY was accepted and no video came before the deadline"


async def test_a_goodbye_after_which_pictures_go_on_ends_nothing(frames: Frames, tools: Tools) -> None:
    """A source that changes its SSRC says goodbye to the old one."""
    inter, *rest = single_nal_packets([frames[1], *frames])
    again = b"".join(interleave(0, packet) for packet in rest)
    result = await probe(then(Script(VIDEO, [inter]), GOODBYE + again), tools)
    assert result.judgement.verdict is Verdict.UP
    assert result.seen is not None
    assert result.seen.ended is None


async def test_the_goodbye_of_another_sender_ends_nothing(frames: Frames, tools: Tools) -> None:
    goodbye = interleave(1, build_goodbye(9))
    result = await probe(then(Script(VIDEO, single_nal_packets(frames)), goodbye), tools)
    assert result.seen is not None
    assert result.seen.ended is None


async def test_a_picture_stamped_hours_off_is_no_low_rate(frames: Frames, tools: Tools) -> None:
    packets = single_nal_packets([*frames[:3], *frames[1:3]])
    hour_off = [packet[:4] + (3600 * 90_000).to_bytes(4) + packet[8:] for packet in single_nal_packets([frames[3]])]
    result = await probe(then(Script(VIDEO, [*packets, *hour_off]), GOODBYE), tools)
    assert result.seen is not None
    checks = check_stream(result.seen, None, StreamThresholds())
    assert not {Cause.LOW_FPS, Cause.LOW_BITRATE} & set(checks.findings)
    assert checks.not_checked[Cause.LOW_FPS] == checks.not_checked[Cause.LOW_BITRATE] == CLOCK_JUMPED


@pytest.mark.parametrize(
    "end", [interleave(1, build_goodbye(7)), b"TEARDOWN rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\n\r\n"]
)
async def test_a_stream_that_ends_after_its_keyframe_is_seen_to_end(frames: Frames, tools: Tools, end: bytes) -> None:
    result = await probe(then(Script(VIDEO, single_nal_packets(frames)), end), tools)
    assert result.judgement.verdict is Verdict.UP
    assert result.seen is not None
    assert result.seen.ended


async def test_a_camera_that_hangs_up_when_we_say_goodbye_did_not_end_the_stream(frames: Frames, tools: Tools) -> None:
    script = Script(VIDEO, single_nal_packets(frames))
    camera = ScriptedPeer(script)

    def answer(request: Request) -> Response | bytes | None:
        if request.method != "TEARDOWN":
            return script(request)
        camera.writer.transport.abort()
        return None

    camera.answer = answer
    async with camera:
        result = await probe_rtsp(Target(f"rtsp://127.0.0.1:{camera.port}/live", None, 3.0), tools)
    assert result.seen is not None
    assert result.seen.ended is None


async def test_cause_codec_unsupported_of_packets_that_the_description_does_not_name(tools: Tools) -> None:
    transport_stream = [
        build_rtp(b"\x1f" + bytes(187), payload_type=33, sequence=number, timestamp=3600 * number, ssrc=7, marker=True)
        for number in range(20)
    ]
    result = await probe(Script(VIDEO, transport_stream), tools, deadline_s=0.5)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.CODEC_UNSUPPORTED)
    assert "payload type 33" in (result.judgement.detail or "")


async def test_pictures_under_another_payload_type_are_pictures_all_the_same(frames: Frames, tools: Tools) -> None:
    packets = [bytes([packet[0], packet[1] & 0x80 | 97]) + packet[2:] for packet in single_nal_packets(frames)]
    result = await probe(Script(VIDEO, packets), tools)
    assert result.judgement.verdict is Verdict.UP
    assert result.seen is not None
    assert result.seen.foreign_payload == 97
    # Without a keyframe before the deadline they are still no other codec.
    later = [packet for packet in packets if packet[12] & 31 == 1]
    assert (await probe(Script(VIDEO, later), tools, deadline_s=0.5)).judgement.cause is Cause.NO_KEYFRAME


async def test_foreign_markers_on_every_packet_of_a_picture_in_slices_damage_none(frames: Frames, tools: Tools) -> None:
    assert sum(nal[0] & 31 == 5 for nal in frames[0]) > 1
    packets = [packet[:1] + bytes([packet[1] | 0x80]) + packet[2:] for packet in single_nal_packets(frames)]
    assert (await probe(Script(VIDEO, packets), tools)).judgement.verdict is Verdict.UP
    alone = [packet for packet in packets if packet[4:8] == packets[0][4:8]]
    # Nothing shows that it is whole, until the deadline.
    assert (await probe(Script(VIDEO, alone), tools, deadline_s=0.5)).judgement.verdict is Verdict.UP


async def test_an_open_camera_takes_a_login_without_asking_for_it(frames: Frames, tools: Tools) -> None:
    result = await probe(Script(VIDEO, single_nal_packets(frames)), tools, credentials=LOGIN)
    assert (result.login_accepted, result.login_needed) == (True, False)


@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY"])
async def test_a_login_that_is_refused_at_any_step_is_a_failed_login(frames: Frames, tools: Tools, method: str) -> None:
    script, asked = Script(VIDEO, single_nal_packets(frames)), [("WWW-Authenticate", 'Basic realm="camera"')]

    def answer(request: Request) -> Response | bytes:
        return reply(401, asked) if request.method == method else script(request)

    result = await probe(answer, tools, credentials=LOGIN)
    assert (result.judgement.cause, result.login_accepted) == (Cause.AUTH_FAILED, False)


async def test_a_login_that_was_taken_before_the_probe_failed_is_known_to_work(tools: Tools) -> None:
    script = Script(VIDEO, setup=lambda _: reply(453, reason="Not Enough Bandwidth"))

    def answer(request: Request) -> Response | bytes:
        if request.headers.get("Authorization") is None:
            return reply(401, [("WWW-Authenticate", 'Basic realm="camera"')])
        return script(request)

    result = await probe(answer, tools, credentials=LOGIN)
    assert result.judgement.cause is Cause.SESSION_LIMIT
    assert (result.login_accepted, result.login_needed) == (True, True)


UNKNOWN_DIGEST = [("WWW-Authenticate", 'Digest realm="camera", nonce="1", algorithm=SHA-999')]


async def test_a_challenge_that_we_cannot_answer_is_no_failed_login(tools: Tools) -> None:
    result = await probe(lambda _: reply(401, UNKNOWN_DIGEST), tools, credentials=LOGIN)
    assert (result.judgement.cause, result.login_accepted) == (Cause.AUTH_FAILED, None)
    assert result.judgement.detail == (
        "DESCRIBE was answered 401 OK: it asks for a login by Digest of another kind, and Digest (MD5, "
        "SHA-256, SHA-512-256) and Basic are spoken here"
    )


async def test_a_login_that_a_redirect_did_not_take_along_is_no_failed_login(tools: Tools) -> None:
    async with ScriptedPeer(lambda _: reply(401, [("WWW-Authenticate", 'Basic realm="other"')])) as other:
        away = reply(302, [("Location", f"rtsp://localhost:{other.port}/live")])
        result = await probe(lambda _: away, tools, credentials=LOGIN)
        assert not any("Authorization" in request.headers for request in other.requests)
    assert (result.judgement.cause, result.login_accepted) == (Cause.AUTH_FAILED, None)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_login_in_the_address_is_a_failed_login_when_it_is_refused(tools: Tools, status: int) -> None:
    async with ScriptedPeer(lambda _: reply(status)) as camera:
        url = f"rtsp://127.0.0.1:{camera.port}/user={{username}}&password={{password}}"
        result = await probe_rtsp(Target(url, LOGIN, 3.0), tools)
        assert "s3cret-Xem" in camera.requests[0].uri
    assert (result.judgement.cause, result.login_accepted) == (Cause.AUTH_FAILED, False)


async def test_media_may_come_before_the_answer_to_play(frames: Frames, tools: Tools) -> None:
    early = b"".join(interleave(0, packet) for packet in single_nal_packets(frames))
    script = Script(VIDEO)

    def answer(request: Request) -> Response | bytes:
        said = script(request)
        return early + said if isinstance(said, bytes) else said

    assert (await probe(answer, tools)).judgement.verdict is Verdict.UP


@pytest.mark.parametrize("frames_lost", [False, True], ids=["up", "no_keyframe"])
async def test_every_session_is_torn_down(frames: Frames, tools: Tools, frames_lost: bool) -> None:
    script = Script(VIDEO, [] if frames_lost else single_nal_packets(frames))
    async with ScriptedPeer(script) as camera:
        await probe_rtsp(Target(f"rtsp://127.0.0.1:{camera.port}/live", None, 0.5), tools)
        assert camera.methods == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
        assert camera.connections == 1


async def test_a_session_that_is_set_up_and_not_played_is_torn_down(tools: Tools) -> None:
    async with ScriptedPeer(Script("m=video 0 RTP/AVP 26\r\na=control:trackID=0\r\n")) as camera:
        await probe_rtsp(Target(f"rtsp://127.0.0.1:{camera.port}/live", None, 3.0), tools)
        await camera.until(lambda: "TEARDOWN" in camera.methods)
        assert "PLAY" not in camera.methods

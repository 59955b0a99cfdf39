"""Causes as simulated cameras provoke them."""

from typing import Any

import pytest

from prober.domain.result import ProbeResult
from prober.probes.camera.rtsp_probe import probe_rtsp
from prober.probes.camera.target import Target, Tools
from simulator.cameras.camera import Camera
from vonggac.events import Cause
from vonggac.events.prober import Verdict
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.url import Credentials

LOGIN = {"username": "viewer", "password": "s3cret-Xem"}


async def probe(camera: Camera, tools: Tools, *, deadline_s: float = 5.0, **target: Any) -> ProbeResult:
    return await probe_rtsp(
        Target(**{"url": camera.url(), "credentials": None, "deadline_s": deadline_s, **target}), tools
    )


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_a_good_camera_is_up_and_measured(simulate: Any, tools: Tools, codec: str) -> None:
    sim = await simulate({"id": "gate", "codec": codec, "audio": "pcma"})
    measuring = Tools(tools.allowed_networks, tools.decoder, measure_window_s=3.0)
    result = await probe(sim.cameras["gate"], measuring)
    assert result.judgement.verdict is Verdict.UP
    media = result.media
    assert media is not None
    assert (media.codec, media.width, media.height, media.audio_codec) == (codec, 320, 180, "pcma")
    assert media.transport == "tcp"
    assert media.profile
    assert media.fps == pytest.approx(10, abs=0.5)
    assert media.gop_s == pytest.approx(0.5, abs=0.05)
    assert media.bitrate_kbps is not None
    assert 50 < media.bitrate_kbps < 1000
    assert media.packets_received
    assert media.packets_lost == 0
    names = [step.name for step in result.steps]
    assert names == [
        "dns",
        "connect",
        "describe",
        "setup",
        "play",
        "keyframe",
        "measure",
        "decode",
        "teardown",
    ]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_long_group_is_measured_to_its_end_in_large_pieces(simulate: Any, tools: Tools, transport: str) -> None:
    """After the arrival of enough pictures was timed, the rest is not taken picture by picture."""
    sim = await simulate({"id": "gate", "fps": 20, "gop_s": 2.0, "loop_s": 4.0})
    measuring = Tools(tools.allowed_networks, tools.decoder, measure_window_s=6.0)
    result = await probe(sim.cameras["gate"], measuring, deadline_s=10.0, transport=transport)
    assert (result.judgement.verdict, result.media is not None) == (Verdict.UP, True)
    assert result.media is not None
    assert result.media.gop_s == pytest.approx(2.0, abs=0.05)
    assert result.media.fps == pytest.approx(20, abs=0.5)
    assert result.media.packets_lost == 0
    assert result.media.jitter_ms is not None
    (goodbye,) = (step for step in result.steps if step.name == "teardown")
    assert goodbye.duration_ms < 900, "its answer is short: it must not wait for a large piece"


@pytest.mark.parametrize("auth", ["basic", "digest", "digest-sha256"])
async def test_a_camera_with_a_login_is_up(simulate: Any, tools: Tools, auth: str) -> None:
    sim = await simulate({"id": "gate", "auth": auth, **LOGIN})
    result = await probe(sim.cameras["gate"], tools, credentials=Credentials(**LOGIN))
    assert result.judgement.verdict is Verdict.UP
    assert sim.cameras["gate"].logins_failed == 0
    assert result.seen is not None
    assert result.seen.login_scheme == auth.partition("-")[0]


@pytest.mark.parametrize("credentials", [None, Credentials(**LOGIN)])
async def test_camera_security_sees_a_camera_that_plays_to_anybody(
    simulate: Any, tools: Tools, credentials: Credentials | None
) -> None:
    sim = await simulate({"id": "gate"})
    result = await probe(sim.cameras["gate"], tools, credentials=credentials)
    assert result.seen is not None
    assert result.seen.login_scheme == "none"


async def test_a_login_may_stand_in_the_path(simulate: Any, tools: Tools) -> None:
    sim = await simulate({"id": "gate", "path": "/user=viewer&password=s3cret-Xem&channel=1"})
    url = sim.cameras["gate"].url().replace("viewer", "{username}").replace("s3cret-Xem", "{password}")
    result = await probe(sim.cameras["gate"], tools, url=url, credentials=Credentials(**LOGIN))
    assert result.judgement.verdict is Verdict.UP


async def test_cause_auth_failed_after_a_single_login(simulate: Any, tools: Tools) -> None:
    sim = await simulate({"id": "gate", "auth": "digest", **LOGIN})
    result = await probe(sim.cameras["gate"], tools, credentials=Credentials("viewer", "wrong-Xem"))
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.AUTH_FAILED)
    assert sim.cameras["gate"].logins_failed == 1
    assert "wrong-Xem" not in repr(result)


async def test_cause_not_found(simulate: Any, tools: Tools) -> None:
    sim = await simulate({"id": "gate"})
    result = await probe(sim.cameras["gate"], tools, url=sim.cameras["gate"].url() + "/other")
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.NOT_FOUND)


FAULTS = [
    ("refuse", Cause.REFUSED),
    ("off", Cause.TIMEOUT),
    ("black_hole", Cause.TIMEOUT),
    ("slow_start", Cause.TIMEOUT),
    ("auth", Cause.AUTH_FAILED),
    ("not_found", Cause.NOT_FOUND),
    ("session_limit", Cause.SESSION_LIMIT),
    ("no_media", Cause.NO_MEDIA),
    ("stall", Cause.NO_MEDIA),
    ("garbage", Cause.PROTOCOL_ERROR),
]


@pytest.mark.parametrize(("fault", "cause"), FAULTS, ids=[fault for fault, _ in FAULTS])
async def test_cause_of_a_fault(simulate: Any, tools: Tools, fault: str, cause: Cause) -> None:
    camera = (await simulate({"id": "gate"})).cameras["gate"]
    await camera.set_fault(fault)
    result = await probe(camera, tools, deadline_s=0.8)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, cause)
    assert result.judgement.detail
    assert result.duration_s < 0.8 + 0.5


async def test_a_camera_that_gives_no_keyframe_before_the_deadline_is_unknown(simulate: Any, tools: Tools) -> None:
    camera = (await simulate({"id": "gate"})).cameras["gate"]
    await camera.set_fault("no_keyframe")
    result = await probe(camera, tools, deadline_s=0.8)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.UNKNOWN, Cause.NO_KEYFRAME)
    assert result.judgement.detail


async def test_a_camera_that_recovers_is_up_again(simulate: Any, tools: Tools) -> None:
    camera = (await simulate({"id": "gate"})).cameras["gate"]
    await camera.set_fault("refuse")
    assert (await probe(camera, tools)).judgement.verdict is Verdict.DOWN
    await camera.clear_fault()
    assert (await probe(camera, tools)).judgement.verdict is Verdict.UP


async def test_a_stream_that_ends_while_it_is_measured_is_up(simulate: Any, tools: Tools) -> None:
    camera = (await simulate({"id": "gate", "gop_s": 2.0})).cameras["gate"]
    await camera.set_fault("stall", after_s=0.4)
    measuring = Tools(tools.allowed_networks, tools.decoder, measure_window_s=0.8)
    result = await probe(camera, measuring, deadline_s=5.0)
    assert result.judgement.verdict is Verdict.UP
    assert result.media is not None
    assert result.media.gop_s is None


async def test_cause_dns(tools: Tools) -> None:
    target = Target("rtsp://camera.invalid/live", None, 5.0)
    result = await probe_rtsp(target, tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.DNS)


async def test_cause_address_not_allowed_says_that_nobody_probed(simulate: Any, tools: Tools) -> None:
    camera = (await simulate({"id": "gate"})).cameras["gate"]
    fenced = Tools(AllowedNetworks.parse(["10.0.0.0/8"]), tools.decoder, 0.0)
    result = await probe(camera, fenced)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.UNKNOWN, Cause.ADDRESS_NOT_ALLOWED)
    assert camera.sessions_total == 0


async def test_cause_protocol_error_of_an_address_that_is_none(tools: Tools) -> None:
    result = await probe_rtsp(Target("rtsp://:badport/", None, 5.0), tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.PROTOCOL_ERROR)

"""A probe never raises and never shows a secret."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from prober.domain.result import Judgement, ProbeResult
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from prober.probes.camera.target import Target, Tools
from prober.probes.limits import NetworkGate
from vonggac.auth import Credentials, Sealer
from vonggac.auth.keys import WORKERS_PUBLIC
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1, TlsTrust
from vonggac.events.prober import Verdict
from vonggac.rtsp import Request, Response
from vonggac.testing.rtsp import ScriptedPeer, reply
from vonggac.testing.secrets import seal

UP = ProbeResult(Judgement(Verdict.UP), 0.1)


def camera(**changes: Any) -> CameraV1:
    values = {
        "id": uuid4(),
        "revision": 1,
        "changed_at": datetime.now(UTC),
        "code": "QT-001",
        "name": "Cổng",
        "facility_id": uuid4(),
        "enabled": True,
        "url": "rtsp://10.0.0.1/live",
        "probe_interval_s": 60,
        "probe_timeout_s": 5,
    }
    return CameraV1.model_validate(values | changes)


class Recording:
    """A probe that remembers its targets."""

    def __init__(self) -> None:
        self.targets: list[Target] = []

    async def __call__(self, target: Target, _tools: Tools) -> ProbeResult:
        self.targets.append(target)
        return UP


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def prober(context: ProbeContext, recording: Recording) -> CameraProber:
    return CameraProber(context, {"rtsp": recording})


async def result_of(prober: CameraProber, planned: CameraV1) -> ProbeResult:
    result = await prober.probe(planned, ProbePlan())
    assert isinstance(result, ProbeResult)
    return result


async def test_the_probe_gets_the_opened_login_and_the_cameras_deadline(
    prober: CameraProber, recording: Recording, keys_folder: Path
) -> None:
    secret = seal(Sealer.from_file(keys_folder / WORKERS_PUBLIC), "viewer", "s3cret-Xem")
    assert (await result_of(prober, camera(secret=secret))).judgement.verdict is Verdict.UP
    (target,) = recording.targets
    assert (target.url, target.credentials) == ("rtsp://10.0.0.1/live", Credentials("viewer", "s3cret-Xem"))
    assert 4.0 < target.deadline_s <= 5.0
    assert "s3cret-Xem" not in repr(recording.targets)


async def test_cause_secret_unreadable_says_that_nobody_probed(prober: CameraProber, recording: Recording) -> None:
    result = await result_of(prober, camera(secret="bm90IHNlYWxlZA=="))
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.UNKNOWN, Cause.SECRET_UNREADABLE)
    assert recording.targets == []


@pytest.mark.parametrize("said", ["viewer:s3cret-Xem", "s3cret-Xem", "dmlld2VyOnMzY3JldC1YZW0="])
async def test_a_device_that_repeats_the_password_in_its_answer_does_not_make_it_known(
    context: ProbeContext, keys_folder: Path, said: str
) -> None:
    secret = seal(Sealer.from_file(keys_folder / WORKERS_PUBLIC), "viewer", "s3cret-Xem")
    async with ScriptedPeer(lambda _: reply(404, reason=f"nothing for {said} here")) as device:
        url = f"rtsp://127.0.0.1:{device.port}/live"
        result = await result_of(CameraProber(context), camera(url=url, secret=secret))
    assert result.judgement.cause is Cause.NOT_FOUND
    assert "***" in (result.judgement.detail or "")
    assert "s3cret-Xem" not in repr(result)
    assert "dmlld2VyOnMzY3JldC1YZW0" not in repr(result)


@pytest.mark.parametrize("again", [0, 1, 2])
async def test_a_device_that_repeats_the_path_does_not_make_the_password_in_it_known(
    context: ProbeContext, keys_folder: Path, again: int
) -> None:
    secret = seal(Sealer.from_file(keys_folder / WORKERS_PUBLIC), "viewer", "xem/20é")

    def answer(request: Request) -> Response:
        path = "/" + request.uri.split("/", 3)[3]
        for _ in range(again):
            path = quote(path)
        return reply(404, reason=f"no {path.lower()}")

    async with ScriptedPeer(answer) as device:
        url = f"rtsp://127.0.0.1:{device.port}/{{password}}/1"
        result = await result_of(CameraProber(context), camera(url=url, secret=secret))
    assert result.judgement.cause is Cause.NOT_FOUND
    assert result.judgement.detail == "DESCRIBE was answered 404 no /***/1"


@pytest.mark.parametrize("url", ["http://10.0.0.1/live.m3u8", "rtmp://10.0.0.1/live", "tcp://10.0.0.1:9000"])
async def test_cause_transport_unsupported_of_a_scheme_without_a_probe(prober: CameraProber, url: str) -> None:
    result = await result_of(prober, camera(url=url))
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.UNKNOWN, Cause.TRANSPORT_UNSUPPORTED)
    assert "judged by the keyframes of the forwarder" in (result.judgement.detail or "")


async def test_cause_internal_error_instead_of_an_exception(
    context: ProbeContext, capsys: pytest.CaptureFixture[str]
) -> None:
    async def mistaken(_target: Target, _tools: Tools) -> ProbeResult:
        raise ZeroDivisionError

    prober = CameraProber(context, {"rtsp": mistaken})
    result = await result_of(prober, camera())
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.UNKNOWN, Cause.INTERNAL_ERROR)
    said = capsys.readouterr()
    assert "probe_failed" in said.out + said.err


async def test_a_probe_can_be_cancelled(context: ProbeContext) -> None:
    begun = asyncio.Event()

    async def endless(_target: Target, _tools: Tools) -> ProbeResult:
        begun.set()
        await asyncio.Event().wait()
        return UP

    prober = CameraProber(context, {"rtsp": endless})
    probe = asyncio.create_task(prober.probe(camera(), ProbePlan()))
    await begun.wait()
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe


async def test_a_probe_of_an_address_that_outlives_its_deadline_is_abandoned_and_gives_its_places_back(
    context: ProbeContext, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def endless(_target: Target, _tools: Tools) -> ProbeResult:
        await asyncio.Event().wait()
        return UP

    monkeypatch.setattr("prober.probes.camera.prober.GRACE_S", 0.1)
    narrow = replace(context, gate=NetworkGate(1, prefix_v4=24, prefix_v6=64))
    target = Target("rtsp://127.0.0.1/live", Credentials("viewer", "s3cret-Xem"), 0.2)
    async with asyncio.timeout(10):
        result = await CameraProber(narrow, {"rtsp": endless}).probe_address(target)
        assert isinstance(result, ProbeResult)
        assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.TIMEOUT)
        said = capsys.readouterr()
        assert "probe_abandoned" in said.out + said.err
        # Neither the network nor the login is taken.
        assert isinstance(await CameraProber(narrow, {"rtsp": Recording()}).probe_address(target), ProbeResult)


async def test_a_camera_over_tls_is_trusted_by_its_own_record_alone(context: ProbeContext, simulate: Any) -> None:
    simulator = await simulate({"id": "gate", "tls": True})
    gate = simulator.cameras["gate"]
    prober = CameraProber(context)
    trusts = {
        Verdict.UP: (TlsTrust(ca_pem=simulator.authority.pem), TlsTrust(fingerprint_sha256=gate.certificate_sha256)),
        Verdict.DOWN: (None, TlsTrust(fingerprint_sha256="0" * 64), TlsTrust(ca_pem="no certificate")),
    }
    for verdict, policies in trusts.items():
        for tls in policies:
            judgement = (await result_of(prober, camera(url=gate.url(), tls=tls))).judgement
            assert (judgement.verdict, judgement.cause) == (verdict, None if verdict is Verdict.UP else Cause.TLS)


@pytest.mark.parametrize("transport", ["tcp", "udp", "auto"])
async def test_media_comes_by_the_transport_of_the_cameras_record(
    context: ProbeContext, prober: CameraProber, recording: Recording, simulate: Any, transport: str
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    planned = camera(url=gate.url(), transport=transport)
    await result_of(prober, planned)
    assert [target.transport for target in recording.targets] == [transport]
    judgement = (await result_of(CameraProber(context), planned)).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.UP, None)

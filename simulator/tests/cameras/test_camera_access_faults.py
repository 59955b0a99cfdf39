"""Logins that are locked, and certificates with which something is wrong."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest

from simulator import CameraConfig, Simulator
from simulator.cameras.camera import Camera
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp import MediaBatch, Route, open_player
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]

RIGHT = Credentials("viewer", "right")
WRONG = Credentials("viewer", "wrong")


@pytest.fixture(params=["basic", "digest"])
async def guarded(request: pytest.FixtureRequest, simulate: Simulate, make_camera: MakeCamera) -> Camera:
    config = make_camera(auth=request.param, username=RIGHT.username, password=RIGHT.password)
    return (await simulate(cameras=[config])).cameras["cam"]


@pytest.fixture
async def sim(simulate: Simulate, make_camera: MakeCamera) -> Simulator:
    return await simulate(cameras=[make_camera(tls=True)])


async def cause_of_login(camera: Camera, credentials: Credentials) -> Cause | None:
    try:
        player = await open_player(
            Route(RtspUrl.parse(camera.url()), credentials), deadline_s=3, on_media=lambda _: None
        )
    except PeerError as error:
        return error.cause
    await player.close()
    return None


async def bytes_over_tls(camera: Camera, policy: TlsPolicy) -> int:
    """Play over TLS until media comes. Raises PeerError."""
    batches: list[MediaBatch] = []
    player = await open_player(Route(RtspUrl.parse(camera.url()), tls=policy), deadline_s=5, on_media=batches.append)
    await eventually(lambda: len(batches) >= 5)
    await player.close()
    return sum(len(batch.data) for batch in batches)


@pytest.mark.parametrize("kind", ["401", "403"])
async def test_wrong_logins_lock_the_right_one_out(guarded: Camera, kind: str) -> None:
    await guarded.set_fault("auth_lockout", kind=kind, logins=2, for_s=60)
    assert await cause_of_login(guarded, RIGHT) is None
    for _ in range(2):
        assert guarded.login_locked is False
        assert await cause_of_login(guarded, WRONG) is Cause.AUTH_FAILED
    assert guarded.login_locked is True
    assert guarded.logins_failed == 2
    assert await cause_of_login(guarded, RIGHT) is Cause.AUTH_FAILED
    assert guarded.logins_failed == 3


async def test_a_lock_ends_after_its_time(guarded: Camera) -> None:
    await guarded.set_fault("auth_lockout", logins=1, for_s=0.4)
    assert await cause_of_login(guarded, WRONG) is Cause.AUTH_FAILED
    assert await cause_of_login(guarded, RIGHT) is Cause.AUTH_FAILED
    await eventually(lambda: not guarded.login_locked)
    assert await cause_of_login(guarded, RIGHT) is None


async def test_a_right_login_forgives_the_wrong_ones_before(guarded: Camera) -> None:
    await guarded.set_fault("auth_lockout", logins=2)
    for credentials, cause in ((WRONG, Cause.AUTH_FAILED), (RIGHT, None), (WRONG, Cause.AUTH_FAILED), (RIGHT, None)):
        assert await cause_of_login(guarded, credentials) is cause


async def test_a_camera_without_login_cannot_lock_anybody_out(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = (await simulate(cameras=[make_camera()])).cameras["cam"]
    with pytest.raises(ValueError, match="cam asks for no login"):
        await camera.set_fault("auth_lockout")
    with pytest.raises(ValueError, match="cam is not served over TLS"):
        await camera.set_fault("tls")
    assert camera.fault is None


async def test_rtsps_is_trusted_by_authority_and_by_fingerprint(sim: Simulator) -> None:
    camera = sim.cameras["cam"]
    assert camera.url().startswith("rtsps://")
    assert await bytes_over_tls(camera, TlsPolicy(ca_pem=sim.authority.pem)) > 0
    assert await bytes_over_tls(camera, TlsPolicy(fingerprint_sha256=camera.certificate_sha256)) > 0
    with pytest.raises(PeerError) as failed:
        await bytes_over_tls(camera, TlsPolicy())
    assert failed.value.cause is Cause.TLS


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("untrusted", "issuer certificate|self.signed"), ("expired", "expired"), ("wrong_host", "mismatch|not valid for")],
)
async def test_a_wrong_certificate_is_refused_by_who_checks(sim: Simulator, kind: str, reason: str) -> None:
    camera = sim.cameras["cam"]
    await camera.set_fault("tls", kind=kind)
    policy = TlsPolicy(ca_pem=sim.authority.pem)
    with pytest.raises(PeerError, match=reason) as failed:
        await bytes_over_tls(camera, policy)
    assert failed.value.cause is Cause.TLS
    assert await bytes_over_tls(camera, TlsPolicy(unverified=True)) > 0
    await camera.clear_fault()
    assert await bytes_over_tls(camera, policy) > 0


async def test_plain_tcp_where_tls_is_expected(sim: Simulator) -> None:
    camera = sim.cameras["cam"]
    await camera.set_fault("tls", kind="plain")
    with pytest.raises(PeerError) as failed:
        await bytes_over_tls(camera, TlsPolicy(unverified=True))
    assert failed.value.cause is Cause.TLS
    recorder = await MediaRecorder.play(camera.url().replace("rtsps://", "rtsp://"))
    await recorder.until(lambda seen: seen.units)
    await recorder.close()


async def test_faults_of_the_port_work_under_tls(sim: Simulator) -> None:
    camera, policy = sim.cameras["cam"], TlsPolicy(ca_pem=sim.authority.pem)
    for fault, causes in (("refuse", {Cause.REFUSED}), ("off", {Cause.TIMEOUT, Cause.TLS})):
        await camera.set_fault(fault)
        with pytest.raises(PeerError) as failed:
            await open_player(Route(RtspUrl.parse(camera.url()), tls=policy), deadline_s=0.5, on_media=lambda _: None)
        assert failed.value.cause in causes
    await camera.clear_fault()
    assert await bytes_over_tls(camera, policy) > 0


async def test_plain_rtsp_on_a_tls_port_gets_no_answer(sim: Simulator) -> None:
    camera = sim.cameras["cam"]
    reader, writer = await asyncio.open_connection(camera.host, camera.port)
    writer.write(b"OPTIONS rtsp://camera/live RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    assert b"RTSP" not in await asyncio.wait_for(reader.read(), 5)
    writer.close()
    context = ssl.create_default_context(cadata=sim.authority.pem)
    _, writer = await asyncio.open_connection(camera.host, camera.port, ssl=context)
    writer.close()

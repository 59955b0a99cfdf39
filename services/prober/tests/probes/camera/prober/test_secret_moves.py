"""A login goes to the address that it was given for; anybody else who listens gets nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from prober.domain.result import ProbeResult
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from vonggac.auth import Sealer, SecretMovedError, Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE, WORKERS_PUBLIC
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import Verdict
from vonggac.logins.resealing import Resealing
from vonggac.net.http_auth import new_challenge
from vonggac.rtsp import Request, Response
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedPeer, reply
from vonggac.testing.secrets import seal


@pytest.fixture
def sealer(keys_folder: Path) -> Sealer:
    return Sealer.from_file(keys_folder / WORKERS_PUBLIC)


def camera(url: str, secret: str, **changes: Any) -> CameraV1:
    values = {
        "id": uuid4(),
        "revision": 1,
        "changed_at": datetime.now(UTC),
        "code": "QT-001",
        "name": "Cổng",
        "facility_id": uuid4(),
        "enabled": True,
        "url": url,
        "secret": secret,
        "probe_interval_s": 60,
        "probe_timeout_s": 5,
    }
    return CameraV1.model_validate(values | changes)


def wanting(request: Request) -> Response:
    """A listener that asks for the login in the clear."""
    return reply(401, [("WWW-Authenticate", new_challenge("camera", scheme="basic").encode())])


async def probed(context: ProbeContext, planned: CameraV1) -> ProbeResult:
    result = await CameraProber(context).probe(planned, ProbePlan())
    assert isinstance(result, ProbeResult)
    return result


@pytest.mark.parametrize("path", ["live", "{username}/{password}", "live?u={username}&p={password}"])
async def test_secret_moves_to_no_listener_at_another_address(context: ProbeContext, sealer: Sealer, path: str) -> None:
    async with ScriptedPeer(wanting) as listener:
        for given_for in ("rtsp://127.0.0.2", f"rtsp://127.0.0.1:{listener.port + 1}", "rtsps://127.0.0.1"):
            secret = seal(sealer, "viewer", "s3cret-Xem", given_for)
            result = await probed(context, camera(f"rtsp://127.0.0.1:{listener.port}/{path}", secret))
            assert (result.judgement.verdict, result.judgement.cause) == (Verdict.UNKNOWN, Cause.SECRET_MOVED)
            assert "s3cret-Xem" not in repr(result)
        assert listener.connections == 0


async def test_secret_moves_to_no_listener_in_a_box_that_was_opened_before(
    context: ProbeContext, sealer: Sealer
) -> None:
    old = seal(sealer, "viewer", "s3cret-Xem")
    async with ScriptedPeer(wanting) as device, ScriptedPeer(wanting) as listener:
        await probed(context, camera(f"rtsp://127.0.0.1:{device.port}/live", old))
        assert any("Authorization" in request.headers for request in device.requests)
        result = await probed(context, camera(f"rtsp://127.0.0.1:{listener.port}/live", old))
        assert result.judgement.cause is Cause.SECRET_MOVED
        assert listener.connections == 0


async def test_secret_moves_at_no_worker_once_one_has_opened_the_old_box(
    bus: Bus, sealer: Sealer, keys_folder: Path, context: ProbeContext
) -> None:
    old, home = seal(sealer, "viewer", "s3cret-Xem"), "rtsp://127.0.0.1/live"
    first = Unsealer.from_file(keys_folder / WORKERS_PRIVATE)
    async with resealing(bus, first):
        first.unseal(old, home)
        stored = await eventually(lambda: Bucket(bus, topology.RESEALED_SECRETS).all())
    assert "s3cret-Xem" not in str(stored)
    second = context.logins.unsealer
    async with resealing(bus, second), ScriptedPeer(wanting) as listener:
        result = await probed(context, camera(f"rtsp://127.0.0.1:{listener.port}/live", old))
        assert result.judgement.cause is Cause.SECRET_MOVED
        assert listener.connections == 0
        assert second.unseal(old, home).password == "s3cret-Xem"


@pytest.mark.parametrize("services", [("prober", "prober"), ("prober", "forwarder"), ("forwarder", "prober")])
async def test_of_two_workers_that_open_an_old_box_the_first_binds_it(
    bus: Bus, sealer: Sealer, keys_folder: Path, services: tuple[str, str]
) -> None:
    old = seal(sealer, "viewer", "s3cret-Xem")
    one, other = (Unsealer.from_file(keys_folder / WORKERS_PRIVATE) for _ in range(2))
    async with resealing(bus, one, services[0]), resealing(bus, other, services[1]):
        one.unseal(old, "rtsp://127.0.0.1/live")
        other.unseal(old, "rtsp://127.0.0.2/live")

        def agreed() -> bool:
            return one.resealed == other.resealed

        await eventually(agreed)
        bound = await Bucket(bus, topology.RESEALED_SECRETS).all()
        assert (len(bound), len(set(bound.values()))) == (len(set(services)), 1)
        opened = [_opens(each, old, f"rtsp://127.0.0.{host}/live") for each in (one, other) for host in (1, 2)]
    assert opened in ([True, False, True, False], [False, True, False, True])


async def test_accounts_what_a_service_has_bound_stands_whatever_another_one_writes(
    bus: Bus, sealer: Sealer, keys_folder: Path
) -> None:
    old = seal(sealer, "viewer", "s3cret-Xem")
    one, evil = (Unsealer.from_file(keys_folder / WORKERS_PRIVATE) for _ in range(2))
    bucket = Bucket(bus, topology.RESEALED_SECRETS)
    async with resealing(bus, one):
        one.unseal(old, "rtsp://127.0.0.1/live")
        [own] = await eventually(bucket.all)
        digest = own.removeprefix("prober.")
        evil.unseal(old, "rtsp://127.0.0.2/live")
        await bucket.put(f"forwarder.{digest}", evil.resealed[digest].encode())
        await bucket.put("forwarder.another", b"heard after it")
        await eventually(lambda: "another" in one.resealed)
        assert _opens(one, old, "rtsp://127.0.0.1/live")
        assert not _opens(one, old, "rtsp://127.0.0.2/live")
    later = Unsealer.from_file(keys_folder / WORKERS_PRIVATE)
    async with resealing(bus, later):
        assert _opens(later, old, "rtsp://127.0.0.1/live")
        assert not _opens(later, old, "rtsp://127.0.0.2/live")


def _opens(unsealer: Unsealer, sealed: str, url: str) -> bool:
    try:
        unsealer.unseal(sealed, url)
    except SecretMovedError:
        return False
    return True


@asynccontextmanager
async def resealing(bus: Bus, unsealer: Unsealer, service: str = "prober") -> AsyncIterator[None]:
    """A worker's knowledge of which old boxes are bound, kept up to date."""
    kept = Resealing(bus, unsealer, service=service)
    running = asyncio.create_task(kept.run())
    await kept.load()
    yield
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

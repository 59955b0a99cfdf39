"""Scans over HTTP, with real devices, a real NATS, and replicas."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager

from prober.app import create_app
from prober.probes.onvif.scan_store import ScanHead, ScanRecords, ScanState
from prober.settings import Settings
from vonggac.auth import Credentials, Role
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.testing import eventually
from vonggac.testing.fixtures import NatsAt, login_of

type Client = httpx.AsyncClient


@pytest_asyncio.fixture
async def replica(
    bus: Bus, settings: Callable[..., Settings], token_for: Callable[[Role], str]
) -> AsyncIterator[Callable[..., Any]]:
    """`await replica()` starts a prober with its API; gives a client with an operator's token."""
    assert bus.connected
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Client:
            app = create_app(settings(**changes))
            app.state.process.places.longest_probe_s = 0.1
            await stack.enter_async_context(LifespanManager(app))
            headers = {"Authorization": f"Bearer {token_for(Role.OPERATOR)}"}
            client = await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", headers=headers)
            )
            await eventually(lambda: _ready(client))
            return client

        yield start


async def _ready(client: Client) -> bool:
    return (await client.get("/readyz")).status_code == 200


async def begin(client: Client, *addresses: str, **changes: Any) -> str:
    answer = await client.post("/v1/scans", json={"addresses": list(addresses), "timeout_s": 5, **changes})
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/v1/scans/{answer.json()['id']}"
    return str(answer.json()["id"])


async def seen(client: Client, scan_id: str) -> Any:
    answer = await client.get(f"/v1/scans/{scan_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ended(client: Client, scan_id: str) -> Any:
    async def over() -> Any:
        scan = await seen(client, scan_id)
        return scan if scan["state"] != "running" else None

    return await eventually(over)


async def test_a_scan_shows_for_each_address_what_is_there_or_why_not(
    replica: Any, virtual_camera: str, device: Any, answers: Any
) -> None:
    web = await device(raw=answers.http("<html/>"))
    closed = free_port()
    client = await replica()
    scan_id = await begin(
        client,
        virtual_camera,
        "127.0.0.2:" + str(web.port),
        f"127.0.0.3:{closed}",
        "8.8.8.8",
        username="admin",
        password="bi-mat-1",
    )
    scan = await ended(client, scan_id)
    assert (scan["state"], scan["total"], scan["scanned"], scan["found"]) == ("finished", 4, 4, 1)
    camera, *others = scan["results"]
    assert camera["device"]["serial_number"] == "PY-000001"
    assert camera["cameras"][0]["url"] == "rtsp://127.0.0.1:8554/video_main"
    assert [other["cause"] for other in others] == ["refused", "refused", "address_not_allowed"]
    assert scan["started_at"].endswith("+07:00")
    metrics = (await client.get("/metrics")).text
    assert 'vonggac_prober_scans_total{state="finished"} 1.0' in metrics
    assert 'vonggac_prober_scanned_addresses_total{outcome="onvif"} 1.0' in metrics
    assert 'vonggac_prober_scanned_addresses_total{outcome="refused"} 2.0' in metrics


async def test_the_ports_of_an_address_are_asked_until_one_speaks_onvif(
    replica: Any, device: Any, answers: Any
) -> None:
    web, camera, never = await device(raw=answers.http("<html/>")), await device(), await device()
    client = await replica()
    ports = [free_port(), web.port, camera.port, never.port]
    scan = await ended(client, await begin(client, "127.0.0.1", ports=ports))
    [found] = scan["results"]
    assert (found["onvif"], found["port"], never.connections) == (True, camera.port, 0)


async def test_a_refused_login_costs_one_attempt_at_an_address(replica: Any, device: Any) -> None:
    first, second = await device(login="token"), await device(login="token")
    client = await replica()
    wrong = {"username": "viewer", "password": "sai-mat-khau"}
    scan = await ended(client, await begin(client, "127.0.0.1", ports=[first.port, second.port], **wrong))
    assert [result["cause"] for result in scan["results"]] == ["auth_failed"]
    assert (first.refused_logins, second.connections) == (1, 0)


async def test_scan_after_scan_with_a_wrong_login_costs_two_attempts_at_a_device_by_all_replicas(
    replica: Any, device: Any, login: Credentials
) -> None:
    camera = await device(login="token")
    one, other = await replica(), await replica()
    wrong = {"username": "viewer", "password": "sai-mat-khau"}
    scans = [await ended(client, await begin(client, camera.address, **wrong)) for client in (one, other, one, other)]
    assert camera.refused_logins == 2
    assert [scan["results"][0]["cause"] for scan in scans] == ["auth_failed"] * 4
    resting = scans[-1]["results"][0]
    assert "failed twice" in resting["detail"]
    assert resting["clock"] is not None
    right = {"username": login.username, "password": login.password}
    scan = await ended(one, await begin(one, camera.address, **right))
    assert (scan["results"][0]["cause"], camera.refused_logins) == (None, 2)


async def test_another_replica_answers_for_a_scan(replica: Any, virtual_camera: str) -> None:
    one, other = await replica(), await replica()
    scan_id = await begin(one, virtual_camera)
    scan = await ended(other, scan_id)
    assert (scan["found"], scan["results"][0]["cause"]) == (1, "auth_failed")


async def test_scans_do_not_mix(replica: Any, device: Any) -> None:
    cameras = [await device(), await device()]
    client = await replica()
    scans = [await begin(client, camera.address) for camera in cameras]
    for camera, scan_id in zip(cameras, scans, strict=True):
        scan = await ended(client, scan_id)
        assert [result["port"] for result in scan["results"]] == [camera.port]


async def test_what_a_scan_finds_while_nats_is_away_is_stored_later(
    settings: Callable[..., Settings], token_for: Callable[[Role], str], device: Any, tmp_path: Path
) -> None:
    camera = await device(hang_at="GetProfiles")
    server = NatsServer(tmp_path / "nats", free_port())
    server.start()
    declaring = await Bus.connect(NatsAt(server.url), name="test")
    await topology.declare(declaring.js)
    await declaring.close()
    app = create_app(settings(**login_of(server, "prober")))
    headers = {"Authorization": f"Bearer {token_for(Role.OPERATOR)}"}
    try:
        async with (
            LifespanManager(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", headers=headers) as client,
        ):
            await eventually(lambda: _ready(client))
            scan_id = await begin(client, camera.address, timeout_s=2)
            await eventually(lambda: camera.open_now)
            await asyncio.to_thread(server.stop)
            await eventually(lambda: [asked.operation for asked in camera.asked][-1:] == ["GetProfiles"])
            await eventually(lambda: not camera.open_now, what="the probe is over")
            await asyncio.to_thread(server.start)
            await eventually(lambda: _ready(client))
            scan = await ended(client, scan_id)
            assert (scan["state"], scan["scanned"], scan["found"]) == ("finished", 1, 1)
            assert scan["results"][0]["cause"] == "timeout"
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_cancelled_scan_keeps_what_it_found(replica: Any, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prober.app.SCANNED_AT_A_TIME", 1)
    camera, hanging = await device(), await device(hang_at="*")
    client = await replica()
    scan_id = await begin(client, camera.address, "127.0.0.1:" + str(hanging.port), timeout_s=60)
    scan = await ended_after_cancel(client, client, scan_id, hanging)
    assert (scan["state"], scan["total"], scan["scanned"], scan["found"]) == ("cancelled", 2, 1, 1)


async def test_another_replica_cancels_a_scan(replica: Any, device: Any) -> None:
    hanging = await device(hang_at="*")
    one, other = await replica(), await replica()
    scan_id = await begin(one, hanging.address, timeout_s=60)
    scan = await ended_after_cancel(one, other, scan_id, hanging)
    assert (scan["state"], scan["scanned"]) == ("cancelled", 0)


async def ended_after_cancel(runs: Client, cancels: Client, scan_id: str, hanging: Any) -> Any:
    await eventually(lambda: hanging.open_now)
    assert (await cancels.delete(f"/v1/scans/{scan_id}")).status_code == 204
    scan = await ended(runs, scan_id)
    await eventually(lambda: not hanging.open_now, what="its connection is closed")
    return scan


async def test_a_prober_that_stops_cancels_its_scans(
    bus: Bus, settings: Callable[..., Settings], token_for: Callable[[Role], str], device: Any
) -> None:
    hanging = await device(hang_at="*")
    app = create_app(settings())
    headers = {"Authorization": f"Bearer {token_for(Role.OPERATOR)}"}
    async with (
        LifespanManager(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", headers=headers) as client,
    ):
        await eventually(lambda: _ready(client))
        scan_id = await begin(client, hanging.address, timeout_s=60)
        await eventually(lambda: hanging.open_now)
    head = await ScanRecords(bus).head(UUID(scan_id))
    assert head is not None
    assert head.state is ScanState.CANCELLED


async def test_a_scan_whose_prober_died_is_lost(replica: Any, bus: Bus) -> None:
    long_ago = datetime.now(UTC) - timedelta(seconds=60)
    head = ScanHead(
        id=uuid4(), worker_id="prober-0", state=ScanState.RUNNING, total=9, started_at=long_ago, updated_at=long_ago
    )
    await ScanRecords(bus).create(head)
    scan = await seen(await replica(), str(head.id))
    assert (scan["state"], scan["scanned"], scan["results"]) == ("lost", 0, [])


async def test_more_scans_than_allowed_are_given_to_wait(
    replica: Any, device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prober.app.MAX_SCANS", 1)
    hanging = await device(hang_at="*")
    client = await replica()
    body = {"addresses": [hanging.address]}
    answers = await asyncio.gather(*(client.post("/v1/scans", json=body) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [202, 429, 429]
    refused = max(answers, key=lambda answer: answer.status_code)
    assert (refused.json()["code"], refused.headers["Retry-After"]) == ("too_many_scans", "60")
    [begun] = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    await client.delete(f"/v1/scans/{begun}")
    await ended(client, begun)
    await eventually(lambda: _begins(client, hanging.address))


async def _begins(client: Client, address: str) -> bool:
    return (await client.post("/v1/scans", json={"addresses": [address]})).status_code == 202


async def test_no_credential_is_in_the_bucket_the_answers_or_the_log(
    replica: Any,
    device: Any,
    bus: Bus,
    login: Credentials,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    echoing = await device(login="token", stream=f"rtsp://viewer:{login.password}@10.0.0.1/user=viewer&password=x/y")
    digest = await device(login="digest", stream=f"rtsp://10.0.0.1/live/{login.password}")
    client = await replica()
    scan_id = await begin(client, echoing.address, digest.address, username=login.username, password=login.password)
    scan = await ended(client, scan_id)
    assert [result["cause"] for result in scan["results"]] == [None, None]
    shown = [(await client.get(f"/v1/scans/{scan_id}{page}")).text for page in ("", "/cameras.csv")]
    stored = [value.decode() for value in (await Bucket(bus, topology.SCANS).all()).values()]
    assert len(stored) == 3
    logged = capsys.readouterr().out + caplog.text
    assert "scan_ended" in logged
    for text in [*shown, *stored, logged]:
        assert login.password not in text
        assert login.username not in text.replace(str(scan_id), "")


async def test_the_file_for_the_inventory_has_its_columns(replica: Any, device: Any) -> None:
    client = await replica()
    scan_id = await begin(client, (await device()).address)
    await ended(client, scan_id)
    answer = await client.get(f"/v1/scans/{scan_id}/cameras.csv?facility_code=QT-KCL-01")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    header, row = answer.content.decode("utf-8-sig").splitlines()
    assert header == "code,name,facility_code,url,username,password,codec,width,height,serial,mac,onvif_address"
    assert row.startswith("CAM-127-0-0-1-")
    assert ",Acme C1 127.0.0.1,QT-KCL-01,rtsp://127.0.0.1/Streaming/Channels/101,,,h264," in row


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"addresses": []}, "addresses"),
        ({"addresses": ["10.0.0.0/8"]}, "addresses.0"),
        ({"addresses": ["10.1.2.3", "cam.example"]}, "addresses.1"),
        ({"addresses": ["10.1.2.3", "fe80::1%lo"]}, "addresses.1"),
        ({"ports": [0]}, "ports.0"),
        ({"ports": []}, "ports"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"username": "a"}, "body"),
        ({"passwort": "bi-mat-1"}, "passwort"),
        ({"username": "a", "password": "bi-mat-1" * 20}, "password"),
    ],
)
async def test_a_wrong_wish_names_its_field_and_shows_no_password(
    replica: Any, changes: dict[str, Any], field: str
) -> None:
    client = await replica()
    answer = await client.post("/v1/scans", json={"addresses": ["10.1.2.3"], **changes})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert "bi-mat-1" not in answer.text


@pytest.mark.parametrize("role", [Role.READER, Role.FACILITY, Role.MANAGING_AGENCY, Role.SERVICE])
async def test_who_may_not_operate_and_import_may_not_scan(
    replica: Any, token_for: Callable[[Role], str], role: Role
) -> None:
    client = await replica()
    headers = {"Authorization": f"Bearer {token_for(role)}"}
    path = f"/v1/scans/{uuid4()}"
    for method, where in (("POST", "/v1/scans"), ("GET", path), ("GET", f"{path}/cameras.csv"), ("DELETE", path)):
        answer = await client.request(method, where, headers=headers, json={"addresses": ["10.1.2.3"]})
        assert answer.status_code == 403, (method, where)


async def test_a_scan_that_is_not_there_is_a_clear_404(replica: Any) -> None:
    client = await replica()
    path = f"/v1/scans/{uuid4()}"
    for method, where in (("GET", path), ("GET", f"{path}/cameras.csv"), ("DELETE", path)):
        answer = await client.request(method, where)
        assert (answer.status_code, answer.json()["code"]) == (404, "scan_not_found")


async def test_before_nats_is_there_a_scan_is_published_to_wait(
    settings: Callable[..., Settings], token_for: Callable[[Role], str]
) -> None:
    app = create_app(settings(nats_url=f"nats://127.0.0.1:{free_port()}"))
    headers = {"Authorization": f"Bearer {token_for(Role.OPERATOR)}"}
    async with (
        LifespanManager(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", headers=headers) as client,
    ):
        answer = await client.post("/v1/scans", json={"addresses": ["10.1.2.3"]})
        assert (answer.status_code, answer.json()["code"]) == (503, "bus_unavailable")

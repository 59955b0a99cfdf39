"""Cameras and centres are added and removed while others play."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from simulator import CameraConfig, CentreConfig, Simulator
from simulator.app import create_app_for
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.testing.media import MediaRecorder, relay

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]

SECRET = "Never-To-Be-Seen"
SMALL = {"width": 160, "height": 90, "fps": 10, "bitrate_kbps": 100, "gop_s": 0.5, "loop_s": 1}


@pytest.fixture
async def sim(simulate: Simulate, make_camera: MakeCamera) -> Simulator:
    return await simulate(cameras=[make_camera()], centres=[CentreConfig(id="centre")])


@pytest.fixture
async def api(sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app_for(sim))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        yield client


async def test_a_camera_and_a_centre_are_added_and_work(sim: Simulator, api: httpx.AsyncClient) -> None:
    login = {"auth": "digest", "username": "viewer", "password": SECRET}
    camera = await api.post("/v1/cameras", json={"id": "new", **SMALL, **login})
    centre = await api.post("/v1/centres", json={"id": "fresh"})
    assert (camera.status_code, centre.status_code) == (201, 201)
    assert camera.json()["ready"] is True
    assert camera.json()["url"] == sim.cameras["new"].url()
    assert SECRET not in camera.text
    async with relay(sim.cameras["new"].url(with_credentials=True), f"{centre.json()['url']}/key"):
        await sim.centres["fresh"].wait_for("key", lambda stream: stream.packets > 5)
    assert [item["id"] for item in (await api.get("/v1/cameras")).json()["items"]] == ["cam", "new"]


async def test_a_removed_camera_is_gone_and_its_sessions_too(sim: Simulator, api: httpx.AsyncClient) -> None:
    await api.post("/v1/cameras", json={"id": "new", **SMALL})
    new, other = sim.cameras["new"], sim.cameras["cam"]
    url = new.url()
    recorder, untouched = await MediaRecorder.play(url), await MediaRecorder.play(other.url())
    assert (await api.delete("/v1/cameras/new")).status_code == 204
    await recorder.until(lambda seen: seen.lost)
    with pytest.raises(PeerError) as failed:
        await MediaRecorder.play(url)
    assert failed.value.cause is Cause.REFUSED
    assert (await api.get("/v1/cameras/new")).status_code == 404
    untouched.drop_received()
    await untouched.until(lambda seen: seen.packets)
    await untouched.close()
    assert (await api.post("/v1/cameras", json={"id": "new", **SMALL})).status_code == 201


async def test_a_centre_is_removed(sim: Simulator, api: httpx.AsyncClient) -> None:
    async with relay(sim.cameras["cam"].url(), sim.centres["centre"].stream_url("key")) as publisher:
        assert (await api.delete("/v1/centres/centre")).status_code == 204
        await publisher.connection.wait_closed()
    assert (await api.get("/v1/centres")).json() == {"items": []}
    assert (await api.delete("/v1/centres/centre")).status_code == 404


async def test_an_id_in_use_is_a_conflict(sim: Simulator, api: httpx.AsyncClient) -> None:
    before = sim.cameras["cam"]
    answer = await api.post("/v1/cameras", json={"id": "cam", **SMALL})
    assert answer.status_code == 409
    assert "cam is in use" in answer.json()["detail"]
    assert sim.cameras["cam"] is before


async def test_a_port_in_use_is_a_conflict_and_leaves_nothing(sim: Simulator, api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/centres", json={"id": "new", "port": sim.cameras["cam"].port})
    assert answer.status_code == 409
    assert str(sim.cameras["cam"].port) in answer.json()["detail"]
    assert "new" not in sim.centres


@pytest.mark.parametrize(
    ("body", "field"),
    [({"id": "a b"}, "id"), ({"id": "x", "scene": "sea"}, "scene"), ({"id": "x", "smoke": 1}, "smoke")],
)
async def test_a_wrong_configuration_is_explained(api: httpx.AsyncClient, body: dict[str, object], field: str) -> None:
    answer = await api.post("/v1/cameras", json={**body, "password": SECRET})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert SECRET not in answer.text


async def test_a_fault_that_does_not_fit_is_explained(sim: Simulator, api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/cameras/cam/fault", json={"fault": "tls"})
    assert answer.status_code == 422
    assert "cam is not served over TLS" in answer.json()["detail"]
    answer = await api.post("/v1/cameras", json={"id": "new", **SMALL, "fault": {"fault": "auth_lockout"}})
    assert answer.status_code == 422
    assert "new" not in sim.cameras


async def test_the_authority_signs_what_devices_with_tls_show(sim: Simulator, api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/centres", json={"id": "safe", "tls": True})
    assert answer.json()["certificate_sha256"] == sim.centres["safe"].certificate_sha256
    assert len(answer.json()["certificate_sha256"]) == 64
    assert (await api.get("/v1/authority")).json() == {"certificate_pem": sim.authority.pem}

"""The HTTP API shows what runs, sets faults, and never shows a password."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from simulator import CameraConfig, CentreConfig, Simulator, SimulatorConfig
from simulator.app import create_app_for
from vonggac.testing.media import MediaRecorder, relay

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]

SECRET = "Never-To-Be-Seen"


@pytest.fixture
async def sim(simulate: Simulate, make_camera: MakeCamera) -> Simulator:
    login = {"auth": "digest", "username": "viewer", "password": SECRET}
    return await simulate(
        cameras=[make_camera(**login)], centres=[CentreConfig.model_validate({"id": "centre"} | login)]
    )


@pytest.fixture
async def api(sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app_for(sim))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        yield client


async def test_it_is_ready_when_every_camera_answers(api: httpx.AsyncClient) -> None:
    assert (await api.get("/livez")).status_code == 200
    assert (await api.get("/readyz")).json() == {"status": "ready", "failures": {}}


async def test_it_says_why_it_is_not_ready(make_camera: MakeCamera) -> None:
    transport = httpx.ASGITransport(create_app_for(Simulator(SimulatorConfig(cameras=[make_camera()]))))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["failures"] == {"simulator": "not started"}


async def test_cameras_are_shown_with_their_real_ports_and_no_password(sim: Simulator, api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/cameras")
    (shown,) = answer.json()["items"]
    assert shown["url"] == sim.cameras["cam"].url()
    assert (shown["auth"], shown["username"]) == ("digest", "viewer")
    texts = [answer.text, (await api.get("/v1/cameras/cam")).text, (await api.get("/v1/centres")).text]
    assert not any(SECRET in text for text in texts)
    assert SECRET not in repr(sim.cameras["cam"].config)


async def test_a_fault_is_set_and_cleared(sim: Simulator, api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/cameras/cam/fault", json={"fault": "slow_start", "delay_s": 2})
    assert answer.json()["fault"]["fault"] == "slow_start"
    assert answer.json()["fault"]["delay_s"] == 2
    assert (await api.delete("/v1/cameras/cam/fault")).json()["fault"] is None
    await api.put("/v1/centres/centre/fault", json={"fault": "slow_reader", "bytes_per_s": 10})
    assert sim.centres["centre"].fault is not None
    assert (await api.delete("/v1/centres/centre/fault")).json()["fault"] is None


@pytest.mark.parametrize(
    ("body", "field", "right"),
    [
        ({"fault": "smoke"}, "fault", "'stall'"),
        ({"fault": "stall", "smoke": 1}, "smoke", "not permitted"),
        ({"fault": "slow_start", "delay_s": -1}, "delay_s", "greater than 0"),
        ({}, "fault", "required"),
    ],
)
async def test_a_wrong_camera_fault_is_explained(
    api: httpx.AsyncClient, body: dict[str, object], field: str, right: str
) -> None:
    answer = await api.put("/v1/cameras/cam/fault", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert right in error["message"]


async def test_a_wrong_centre_fault_names_the_right_ones(api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/centres/centre/fault", json={"fault": "freeze"})
    assert answer.status_code == 422
    message = answer.json()["errors"][0]["message"]
    for name in ("off", "refuse", "black_hole", "slow_reader", "auth", "close"):
        assert f"'{name}'" in message


@pytest.mark.parametrize("path", ["/v1/cameras/nobody", "/v1/centres/nobody", "/v1/centres/nobody/streams"])
async def test_an_unknown_device_is_404(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_streams_are_counted_and_reset(sim: Simulator, api: httpx.AsyncClient) -> None:
    camera, centre = sim.cameras["cam"], sim.centres["centre"]
    async with relay(camera.url(with_credentials=True), centre.stream_url("key", with_credentials=True)):
        await centre.wait_for("key", lambda seen: seen.packets > 10)
        viewer = await MediaRecorder.play(centre.stream_url("key", with_credentials=True))
        (shown,) = (await api.get("/v1/centres/centre/streams")).json()["items"]
        assert shown["path"] == "key"
        assert shown["live"] is True
        assert shown["packets"] > 10
        assert shown["lost"] == 0
        assert shown["viewers"] == 1
        assert shown["current"]["first_packet_is_keyframe"] is True
        assert (await api.get("/v1/centres/centre")).json()["live_streams"] == 1
        viewer.player.abort()
    await centre.wait_for("key", lambda seen: not seen.live)
    (shown,) = (await api.get("/v1/centres/centre/streams")).json()["items"]
    assert len(shown["history"]) == 1
    assert (await api.post("/v1/centres/centre/statistics/reset")).json() == {"items": []}

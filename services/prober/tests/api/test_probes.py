"""Probing now, over HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from vonggac.auth import Role
from vonggac.rtsp import Request, Response
from vonggac.testing.rtsp import ScriptedPeer, reply

type Client = httpx.AsyncClient

LOGIN = {"username": "viewer", "password": "s3cret-Xem"}


async def test_a_camera_of_the_inventory_is_probed_and_the_probe_is_published(
    operator: Client, simulate: Any, planner: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate", "auth": "digest", **LOGIN})).cameras["gate"]
    camera = await planner.camera(gate.url(), secret=planner.seal("viewer", "s3cret-Xem"), probe_interval_s=600)
    await observed.observation(camera.id)
    answer = await operator.post("/v1/probes", json={"camera_id": str(camera.id)})
    assert answer.status_code == 200, answer.text
    verdict = answer.json()
    assert (verdict["verdict"], verdict["cause"], verdict["kind"]) == ("up", None, "deep")
    assert verdict["log"][0].startswith("dns: ")
    assert verdict["log"][-1] == "verdict: up"
    assert "s3cret" not in answer.text
    assert "viewer" not in answer.text
    second = await observed.observation(camera.id, 2)
    assert second.duration_ms == verdict["duration_ms"]


async def test_an_address_that_is_in_no_inventory_is_probed(operator: Client, simulate: Any, observed: Any) -> None:
    gate = (await simulate({"id": "gate", "auth": "basic", **LOGIN})).cameras["gate"]
    answer = await operator.post("/v1/probes", json={"url": gate.url(), **LOGIN})
    assert answer.json()["verdict"] == "up"
    assert answer.json()["media"]["width"] == 320
    assert "s3cret" not in answer.text
    assert observed.observations == []


async def test_an_address_may_be_pasted_with_white_space_around_it(operator: Client, simulate: Any) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    answer = await operator.post("/v1/probes", json={"url": f"\t {gate.url()} \n"})
    assert (answer.json()["verdict"], answer.json()["cause"]) == ("up", None)


async def test_a_verdict_comes_with_its_advice(operator: Client, simulate: Any) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await gate.set_fault("refuse")
    verdict = (await operator.post("/v1/probes", json={"url": gate.url()})).json()
    assert (verdict["verdict"], verdict["cause"]) == ("down", "refused")
    assert verdict["advice"]["vi"]
    assert verdict["log"][-1].startswith("verdict: down (refused, ")
    assert set(verdict["not_checked"]) >= {"frozen", "low_fps"}


async def test_a_login_that_failed_twice_is_not_tried_again(
    operator: Client, simulate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prober.probes.limits.AGAIN_AFTER_S", 0.0)
    gate = (await simulate({"id": "gate", "path": "/a", "auth": "digest", **LOGIN})).cameras["gate"]
    for channel in ("/a", "/b", "/c"):
        url = gate.url().replace("/a", channel)
        answer = await operator.post("/v1/probes", json={"url": url, "username": "viewer", "password": "wrong"})
        assert answer.json()["cause"] == "auth_failed"
    assert answer.json()["detail"].startswith("not tried")
    assert gate.logins_failed == 2


async def test_a_login_that_failed_at_one_spelling_of_the_address_has_failed_at_all(
    operator: Client, simulate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prober.probes.limits.AGAIN_AFTER_S", 0.0)
    gate = (await simulate({"id": "gate", "auth": "digest", **LOGIN})).cameras["gate"]
    details = []
    for host in ("127.0.0.1", "127.1", "2130706433"):
        url = gate.url().replace("127.0.0.1", host)
        answer = await operator.post("/v1/probes", json={"url": url, "username": "viewer", "password": "wrong"})
        details.append(answer.json()["detail"])
    assert details[2].startswith("not tried")
    assert gate.logins_failed == 2


@pytest.mark.parametrize("refused", ["DESCRIBE", "SETUP", "PLAY"])
@pytest.mark.parametrize("status", [401, 403])
async def test_a_recorder_that_takes_the_login_and_refuses_it_later_is_full(
    operator: Client, refused: str, status: int
) -> None:
    sdp = b"v=0\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"
    asked = [("WWW-Authenticate", 'Basic realm="recorder"')]

    def answer(request: Request) -> Response:
        if request.headers.get("Authorization") is None:
            return reply(401, asked)
        if request.method == refused:
            return reply(status, asked)
        if request.method == "DESCRIBE":
            return reply(body=sdp)
        return reply(headers=[("Session", "12"), ("Transport", request.headers.get("Transport") or "")])

    async with ScriptedPeer(answer) as recorder:
        body = {"url": f"rtsp://127.0.0.1:{recorder.port}/1", **LOGIN}
        verdict = (await operator.post("/v1/probes", json=body)).json()
    assert verdict["verdict"] == "down"
    assert verdict["cause"] == ("auth_failed" if refused == "DESCRIBE" else "session_limit")


async def test_a_resting_camera_is_left_alone(operator: Client, simulate: Any, planner: Any, observed: Any) -> None:
    gate = (await simulate({"id": "gate", "auth": "digest", **LOGIN})).cameras["gate"]
    wrong = planner.seal("viewer", "wrong-Xem")
    camera = await planner.camera(gate.url(), secret=wrong, probe_interval_s=0.2)
    await observed.observation(camera.id, 2)

    answer = await operator.post("/v1/probes", json={"camera_id": str(camera.id)})
    assert answer.json()["code"] == "login_resting"
    assert answer.status_code == 409
    assert int(answer.headers["Retry-After"]) > 1700
    assert gate.logins_failed == 2


async def test_one_target_is_not_probed_again_and_again(operator: Client, simulate: Any) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    assert (await operator.post("/v1/probes", json={"url": gate.url()})).status_code == 200
    again = await operator.post("/v1/probes", json={"url": gate.url() + "/other"})
    assert (again.status_code, again.json()["code"]) == (429, "on_demand_limit")
    assert 1 <= int(again.headers["Retry-After"]) <= 5


async def test_an_address_outside_the_allowed_networks_is_not_connected_to(operator: Client) -> None:
    verdict = (await operator.post("/v1/probes", json={"url": "rtsp://192.0.2.1/live"})).json()
    assert (verdict["verdict"], verdict["cause"]) == ("unknown", "address_not_allowed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"url": "rtsp://127.0.0.1/live", "camera_id": str(uuid4())}, "body"),
        ({"url": "rtsp://127.0.0.1/live", "username": "viewer"}, "body"),
        ({"camera_id": str(uuid4()), "username": "viewer", "password": "x"}, "body"),
        ({"url": "rtsp://viewer:s3cret-Xem@127.0.0.1/live"}, "url"),
        ({"url": "rtsp://:badport/"}, "url"),
        ({"url": "rtsp://127.0.0.1/live?p%61ssword=s3cret-Xem"}, "url"),
        ({"url": "rtsp://127.0.0.1/user=admin_password=s3cret-Xem_channel=1"}, "url"),
        ({"url": "rtsp://127.0.0.1/live", "timeout_s": True}, "timeout_s"),
        ({"url": "rtsp://127.0.0.1/live", "timeout_s": "5"}, "timeout_s"),
        ({"url": "rtsp://127.0.0.1/live", "timeout_s": 0}, "timeout_s"),
    ],
)
async def test_a_bad_request_names_its_field_and_shows_no_login(
    operator: Client, body: dict[str, Any], field: str
) -> None:
    answer = await operator.post("/v1/probes", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["errors"][0]["field"]
    assert "s3cret" not in answer.text


async def test_a_camera_that_is_not_in_the_inventory_is_a_404(operator: Client) -> None:
    answer = await operator.post("/v1/probes", json={"camera_id": str(uuid4())})
    assert (answer.status_code, answer.json()["code"]) == (404, "camera_not_found")


async def test_a_disabled_camera_is_not_probed(operator: Client, planner: Any) -> None:
    camera = await planner.camera("rtsp://127.0.0.1:9/live", enabled=False)
    answer = await operator.post("/v1/probes", json={"camera_id": str(camera.id)})
    assert (answer.status_code, answer.json()["code"]) == (409, "camera_disabled")


async def test_probing_needs_the_right_to_operate(client: Client, token_for: Callable[[Role], str]) -> None:
    body = {"url": "rtsp://127.0.0.1:9/live"}
    assert (await client.post("/v1/probes", json=body)).status_code == 403
    client.headers["Authorization"] = f"Bearer {token_for(Role.FACILITY)}"
    assert (await client.post("/v1/probes", json=body)).status_code == 403


async def test_the_allowed_networks_are_given(client: Client) -> None:
    assert (await client.get("/v1/networks")).json()["allowed"] == ["127.0.0.0/8"]

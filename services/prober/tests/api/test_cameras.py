"""The latest probe of each camera over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from asgi_lifespan import LifespanManager

from prober.app import create_app
from prober.settings import Settings
from vonggac.auth import Role
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.embedded import free_port
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Verdict
from vonggac.testing import eventually

type Client = httpx.AsyncClient


async def put(bus: Bus, number: int, **changes: Any) -> CameraObservedV1:
    observed = CameraObservedV1(
        camera_id=UUID(int=number),
        camera_revision=1,
        worker_id="prober-0123456789ab",
        observed_at=datetime.now(UTC),
        verdict=Verdict.UP,
        interval_s=60,
        duration_ms=40,
    ).model_copy(update=changes)
    await Bucket(bus, topology.CAMERA_STATUS).put(str(observed.camera_id), observed.model_dump_json().encode())
    return observed


async def test_a_camera_that_is_probed_appears_with_all_that_was_measured(
    client: Client, simulate: Any, planner: Any, observed: Any
) -> None:
    sim = await simulate({"id": "gate"})
    camera = await planner.camera(sim.cameras["gate"].url())
    await observed.observation(camera.id)

    async def shown() -> Any:
        answer = await client.get(f"/v1/cameras/{camera.id}")
        return answer.json() if answer.status_code == 200 else None

    status = await eventually(shown)
    assert (status["verdict"], status["cause"], status["overdue"]) == ("up", None, False)
    assert status["media"]["codec"] == "h264"
    assert status["observed_at"].endswith("+07:00")
    assert [step["name"] for step in status["steps"]][:3] == ["dns", "connect", "describe"]
    metrics = (await client.get("/metrics")).text
    assert 'vonggac_prober_probes_total{cause="none",verdict="up"} 1.0' in metrics
    assert f'vonggac_prober_probe_success{{camera_id="{camera.id}"}} 1.0' in metrics
    assert 'vonggac_prober_probe_duration_seconds_count{phase="decode"} 1.0' in metrics


async def test_cameras_are_filtered_by_verdict_and_cause(operator: Client, bus: Bus) -> None:
    await put(bus, 1)
    await put(bus, 2, verdict=Verdict.DOWN, cause=Cause.TIMEOUT)
    await put(bus, 3, verdict=Verdict.DOWN, cause=Cause.AUTH_FAILED)

    async def ids(query: str) -> list[int]:
        page = (await operator.get(f"/v1/cameras?total=true&{query}".rstrip("&"))).json()
        assert page["total"] == len(page["items"])
        return [UUID(item["camera_id"]).int for item in page["items"]]

    assert await ids("") == [1, 2, 3]
    assert await ids("verdict=down") == [2, 3]
    assert await ids("verdict=down&cause=timeout") == [2]
    assert await ids("verdict=up&cause=timeout") == []


async def test_cameras_are_filtered_by_facility(client: Client, bus: Bus) -> None:
    ward = UUID(int=99)
    await put(bus, 1)
    await put(bus, 2, facility_id=ward)
    page = (await client.get(f"/v1/cameras?facility_id={ward}")).json()
    assert [UUID(item["camera_id"]).int for item in page["items"]] == [2]


async def test_a_filter_that_is_not_known_is_refused_by_name(client: Client) -> None:
    answer = await client.get("/v1/cameras?verdit=down")
    assert answer.status_code == 422
    assert "verdit" in answer.text


async def test_pages_follow_each_other_without_gap(client: Client, bus: Bus) -> None:
    for number in range(1, 6):
        await put(bus, number)
    seen: list[int] = []
    address = "/v1/cameras?limit=2&total=true&sort=-camera_id"
    while True:
        answer = await client.get(address)
        assert answer.json()["total"] == 5
        seen += [UUID(item["camera_id"]).int for item in answer.json()["items"]]
        if "next" not in answer.links:
            break
        address = answer.links["next"]["url"]
    assert seen == [5, 4, 3, 2, 1]


async def test_an_old_probe_is_shown_as_overdue(client: Client, bus: Bus) -> None:
    old = await put(bus, 1, observed_at=datetime.now(UTC) - timedelta(seconds=121))
    status = (await client.get(f"/v1/cameras/{old.camera_id}")).json()
    assert (status["verdict"], status["overdue"]) == ("up", True)


async def test_findings_are_shown_and_filtered(client: Client, bus: Bus) -> None:
    await put(bus, 1)
    blurred = await put(bus, 2, findings=(Cause.BLURRED,), not_checked={"clock_drift": "no report came"})
    page = (await client.get("/v1/cameras?finding=blurred")).json()
    assert [item["camera_id"] for item in page["items"]] == [str(blurred.camera_id)]
    assert page["items"][0]["not_checked"] == {"clock_drift": "no report came"}
    assert page["items"][0]["advice"] is None


async def test_a_camera_that_is_down_is_shown_with_advice_in_both_languages(client: Client, bus: Bus) -> None:
    down = await put(bus, 1, verdict=Verdict.DOWN, cause=Cause.AUTH_FAILED)
    advice = (await client.get(f"/v1/cameras/{down.camera_id}")).json()["advice"]
    assert "mật khẩu" in advice["vi"]
    assert "password" in advice["en"]


async def test_the_last_failures_of_a_camera_are_given(
    operator: Client, simulate: Any, planner: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await gate.set_fault("refuse")
    camera = await planner.camera(gate.url(), probe_interval_s=0.3)
    await observed.observation(camera.id, 2)
    await gate.clear_fault()
    await eventually(lambda: observed.of(camera.id)[-1].verdict is Verdict.UP)

    async def ended() -> Any:
        [failure] = (await operator.get(f"/v1/cameras/{camera.id}/failures")).json()["items"]
        return failure if failure["ended_at"] else None

    failure = await eventually(ended)
    assert (failure["verdict"], failure["cause"]) == ("down", "refused")
    assert failure["probes"] >= 2
    assert failure["advice"]["en"]
    assert (await operator.get(f"/v1/cameras/{uuid4()}/failures")).json()["items"] == []


async def test_what_another_release_wrote_is_left_out(client: Client, bus: Bus) -> None:
    await put(bus, 1)
    await Bucket(bus, topology.CAMERA_STATUS).put(str(uuid4()), b'{"shape": "of tomorrow"}')
    assert (await client.get("/v1/cameras?total=true")).json()["total"] == 1


async def test_a_camera_that_nobody_probed_is_a_clear_404(client: Client) -> None:
    answer = await client.get(f"/v1/cameras/{uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "camera_not_probed")


@pytest.mark.parametrize(
    ("path", "field"),
    [("/v1/cameras?verdict=fine", "verdict"), ("/v1/cameras?limit=0", "limit"), ("/v1/cameras/gate", "camera_id")],
)
async def test_a_bad_question_names_its_field(client: Client, path: str, field: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["/v1/cameras", f"/v1/cameras/{UUID(int=1)}", "/v1/workers"])
async def test_without_a_token_nothing_is_published(client: Client, path: str) -> None:
    answer = await client.get(path, headers={"Authorization": ""})
    assert answer.status_code == 401


async def test_workers_are_listed(client: Client) -> None:
    async def listed() -> Any:
        return (await client.get("/v1/workers")).json()["items"]

    [worker] = await eventually(listed)
    assert worker["worker_id"].startswith("prober-")
    assert worker["alive_at"].endswith("+07:00")


async def test_before_nats_is_there_the_api_answers_and_says_so(
    settings: Callable[..., Settings], token_for: Callable[[Role], str]
) -> None:
    app = create_app(settings(nats_url=f"nats://127.0.0.1:{free_port()}"))
    headers = {"Authorization": f"Bearer {token_for(Role.AUTHORITY)}"}
    async with (
        LifespanManager(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", headers=headers) as client,
    ):
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).json()["failures"] == {"work": "waiting for NATS and its streams"}
        answer = await client.get("/v1/cameras")
        assert (answer.status_code, answer.json()["code"]) == (503, "bus_unavailable")


async def test_a_death_is_published_to_who_can_end_the_process(
    bus: Bus, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_worker: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("prober.probes.camera.worker.Worker.run", die)
    deaths: list[bool] = []
    app = create_app(settings(), on_death=lambda: deaths.append(True))
    async with LifespanManager(app):
        await eventually(lambda: deaths)
        assert (await app.state.tasks.check()) == "the task probe-jobs has died of ZeroDivisionError"
    assert bus.connected

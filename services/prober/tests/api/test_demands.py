"""Probes and scans on demand: limited per caller, network and address, recorded, and coarse for who only reads."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from nats.js.errors import APIError

from prober.api.advice import failures_for
from prober.domain.failures import Failure
from prober.domain.limits.demands import Endpoint, Limits, TooMuchError
from prober.metrics import Metrics
from prober.probes.demands import DemandGate
from vonggac.auth import Principal, Role
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import free_port
from vonggac.events import Cause, decode
from vonggac.events.prober import DemandKind, DemandV1, Verdict
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

type Client = httpx.AsyncClient


@pytest.fixture
def limited(operator: Client) -> Callable[..., None]:
    """Give the app other limits."""
    transport: Any = operator._transport

    def limit(**limits: int) -> None:
        given = {"per_caller": 100, "per_network": 100, "ports_per_address": 100} | limits
        transport.app.state.demands = DemandGate(Limits(**given), Metrics(), lambda address: address)

    return limit


async def stored(bus: Bus) -> list[DemandV1]:
    """All records, the oldest first."""
    state = (await bus.js.stream_info(topology.DEMANDS)).state
    found = []
    for sequence in range(state.first_seq, state.last_seq + 1):
        data = decode((await bus.js.get_msg(topology.DEMANDS, seq=sequence)).data or b"").data
        assert isinstance(data, DemandV1)
        found.append(data)
    return found


async def test_who_had_what_probed_is_recorded_and_listed_to_who_reads_the_log(
    operator: Client, simulate: Any, bus: Bus, token_for: Callable[[Role], str]
) -> None:
    login = {"username": "viewer", "password": "s3cret-Xem"}
    gate = (await simulate({"id": "gate", "auth": "basic", **login})).cameras["gate"]
    await operator.post("/v1/probes", json={"url": gate.url(), **login})
    (demand,) = await stored(bus)
    assert (demand.kind, demand.roles, demand.endpoints, demand.refused) == ("probe", ("operator",), 1, None)
    assert demand.targets == (gate.url().removeprefix("rtsp://").partition("/")[0],)
    assert (await operator.get("/v1/demands")).status_code == 403
    operator.headers["Authorization"] = f"Bearer {token_for(Role.PROVINCE_LEAD)}"
    listed = (await operator.get("/v1/demands", params={"kind": "probe", "total": True})).json()
    assert [item["id"] for item in listed["items"]] == [str(demand.id)]
    assert "s3cret" not in json.dumps(listed)
    assert (await operator.get("/v1/demands", params={"kind": "scan"})).json()["items"] == []


async def test_a_camera_of_the_inventory_is_recorded_by_its_id_and_address(
    operator: Client, simulate: Any, planner: Any, observed: Any, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prober.probes.limits.AGAIN_AFTER_S", 0.0)
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    camera = await planner.camera(gate.url(), probe_interval_s=600)
    await observed.observation(camera.id)
    for _ in range(2):
        assert (await operator.post("/v1/probes", json={"camera_id": str(camera.id)})).status_code == 200
    # Once in an hour: who registered it chose its address.
    (demand,) = await stored(bus)
    assert demand.camera_id == camera.id
    assert demand.targets == (gate.url().rpartition("/")[0],)


async def test_a_name_that_leads_elsewhere_a_moment_later_is_probed_where_it_was_counted(
    operator: Client, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that rebinds would make the limits of a network, and the record, worth nothing."""
    answers, look_up = ["127.0.0.1", "127.0.0.2", "127.0.0.2"], socket.getaddrinfo

    def rebinding(host: str, *more: Any, **given: Any) -> Any:
        return look_up(answers.pop(0) if host == "rebinds.invalid" else host, *more, **given)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    asked = asyncio.Event()
    async with ScriptedPeer(ScriptedCamera(DESCRIBE=reply(404))) as counted:

        def elsewhere(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            writer.close()

        async with await asyncio.start_server(elsewhere, "127.0.0.2", counted.port):
            url = f"rtsp://Rebinds.invalid:{counted.port}/live"
            verdict = (await operator.post("/v1/probes", json={"url": url})).json()
        assert (verdict["cause"], counted.connections, asked.is_set()) == ("not_found", 1, False)
    (demand,) = await stored(bus)
    assert "127.0.0.1" in str(demand.ranges)


async def test_a_device_that_redirects_leads_a_probe_on_demand_nowhere_else(operator: Client) -> None:
    """One who has a device could have all others asked by it, and be counted for this one."""
    async with ScriptedPeer(ScriptedCamera()) as other:
        location = f"rtsp://127.0.0.1:{other.port}/live"
        async with ScriptedPeer(ScriptedCamera(DESCRIBE=reply(302, [("Location", location)]))) as device:
            asked = {"url": f"rtsp://127.0.0.1:{device.port}/live"}
            verdict = (await operator.post("/v1/probes", json=asked)).json()
    assert (verdict["cause"], other.connections) == ("address_not_allowed", 0)
    assert "ask that one by itself" in verdict["detail"]


@pytest.mark.parametrize(("address", "cause"), [("192.0.2.7", "address_not_allowed"), (None, "dns")])
async def test_a_name_without_an_address_that_is_allowed_is_probed_nowhere(
    operator: Client, monkeypatch: pytest.MonkeyPatch, address: str | None, cause: str
) -> None:
    look_up = socket.getaddrinfo

    def answer(host: str, *more: Any, **given: Any) -> Any:
        if host == "odd.invalid" and address is None:
            raise socket.gaierror(socket.EAI_NONAME, "none")
        return look_up(address if host == "odd.invalid" else host, *more, **given)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    verdict = (await operator.post("/v1/probes", json={"url": "rtsp://odd.invalid/live"})).json()
    assert verdict["cause"] == cause


async def test_a_scan_is_recorded_with_all_that_it_asks(operator: Client, bus: Bus) -> None:
    body = {"addresses": ["127.0.0.0/30", "127.9.9.9:8899"], "ports": [9, 10], "timeout_s": 1}
    assert (await operator.post("/v1/scans", json=body)).status_code == 202
    (demand,) = await stored(bus)
    assert (demand.kind, demand.targets, demand.ports) == ("scan", ("127.0.0.0/30", "127.9.9.9:8899"), (9, 10))
    assert demand.endpoints == 5


@pytest.mark.parametrize(
    ("limits", "limit", "said"),
    [
        ({"per_caller": 3}, "caller", "one caller may have 3 addresses and ports asked in an hour, 0 were"),
        ({"per_network": 3}, "network", "3 addresses and ports of the network 127.0.0.0/24 may be asked"),
        ({"ports_per_address": 1}, "ports", "1 different ports of 127.0.0.1 may be asked"),
    ],
)
async def test_more_than_a_limit_is_refused_and_says_which(
    operator: Client, limited: Callable[..., None], bus: Bus, limits: dict[str, int], limit: str, said: str
) -> None:
    limited(**limits)
    body = {"addresses": ["127.0.0.0/30"], "ports": [9, 10], "timeout_s": 1}
    for _ in range(3):
        answer = await operator.post("/v1/scans", json=body)
        assert (answer.status_code, answer.json()["code"]) == (429, "demand_limit")
    assert said in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 3000
    assert [one.refused for one in await stored(bus)] == [limit]


@asynccontextmanager
async def another_process(bus: Bus, keys_folder: Path, token: str, **limits: int) -> AsyncIterator[Client]:
    """`python -m prober` beside this one, with its API."""
    port = free_port()
    environment = {
        "NATS_URL": bus.client.connected_url.geturl() if bus.client.connected_url else "",
        "PORT": str(port),
        "WORKERS_PRIVATE_KEY_FILE": str(keys_folder / WORKERS_PRIVATE),
        "JWKS_FILE": str(keys_folder / JWKS),
        "ALLOWED_NETWORKS": "127.0.0.0/8",
        **{name.upper(): str(value) for name, value in limits.items()},
    }
    named = {f"VONGGAC_PROBER_{name}": value for name, value in environment.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "prober", env=os.environ | named, stderr=asyncio.subprocess.DEVNULL
    )
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:

            async def ready() -> bool:
                try:
                    return (await client.get("/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(ready, within_s=60)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def test_two_processes_together_admit_what_one_may(
    operator: Client, limited: Callable[..., None], bus: Bus, keys_folder: Path, token_for: Callable[[Role], str]
) -> None:
    """Half at the one, and then no more than the other half at the other one, which began before and after it."""
    limited(per_caller=8)
    token = token_for(Role.OPERATOR)
    async with another_process(bus, keys_folder, token, max_endpoints_per_caller=8) as other:
        codes = []
        for number, client in enumerate((operator, other, other, operator, other, operator)):
            body = {"addresses": [f"127.0.{number}.1"], "ports": [9, 10], "timeout_s": 1}
            codes.append((await client.post("/v1/scans", json=body)).status_code)
        assert codes == [202] * 4 + [429] * 2
    async with another_process(bus, keys_folder, token, max_endpoints_per_caller=8) as restarted:
        answer = await restarted.post("/v1/probes", json={"url": "rtsp://127.0.9.9:9/x", "timeout_s": 1})
        assert (answer.status_code, answer.json()["code"]) == (429, "demand_limit")
    assert sum(one.refused is None for one in await stored(bus)) == 4


async def test_probers_that_admit_at_the_same_moment_do_not_admit_the_same_room(bus: Bus) -> None:
    gates = [DemandGate(Limits(10, 10, 10), Metrics(), lambda _: "site") for _ in range(3)]

    async def ask(gate: DemandGate, number: int) -> bool:
        demand = DemandV1(
            id=uuid4(),
            kind=DemandKind.PROBE,
            caller=f"caller-{number}",
            roles=(),
            targets=(),
            endpoints=1,
            demanded_at=datetime.now(UTC),
            worker_id="prober",
        )
        try:
            await gate.admit(bus, demand, [Endpoint(f"10.0.0.{number}", 554, "site")])
        except TooMuchError:
            return False
        return True

    admitted = await asyncio.gather(*(ask(gates[number % 3], number) for number in range(18)))
    assert sum(admitted) == 10


async def test_many_names_of_one_address_are_one(operator: Client, limited: Callable[..., None]) -> None:
    limited(ports_per_address=2)
    codes = []
    for number, host in enumerate(("127.0.0.1", "127.1", "localhost", "[::ffff:127.0.0.1]")):
        answer = await operator.post("/v1/probes", json={"url": f"rtsp://{host}:{number + 9}/x", "timeout_s": 1})
        codes.append(answer.status_code)
    assert codes == [200, 200, 429, 429]


async def test_nobody_takes_a_record_away(operator: Client, bus: Bus) -> None:
    await operator.post("/v1/probes", json={"url": "rtsp://127.0.0.1:9/x", "timeout_s": 1})
    for take_away in (bus.js.purge_stream(topology.DEMANDS), bus.js.delete_msg(topology.DEMANDS, 1)):
        with pytest.raises(APIError):
            await take_away
    assert len(await stored(bus)) == 1


async def test_who_only_reads_does_not_learn_which_port_is_closed(
    operator: Client, simulate: Any, planner: Any, observed: Any, token_for: Callable[[Role], str]
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await gate.set_fault("refuse")
    camera = await planner.camera(gate.url(), probe_interval_s=600)
    await observed.observation(camera.id)
    path = f"/v1/cameras/{camera.id}"
    assert (await operator.get(path)).json()["cause"] == "refused"
    # An authority reads of everything, and may have nothing done.
    operator.headers["Authorization"] = f"Bearer {token_for(Role.AUTHORITY)}"

    async def shown() -> bool:
        return bool((await operator.get(f"{path}/failures")).json()["items"])

    await eventually(shown)
    for answer in (
        (await operator.get(path)).json(),
        (await operator.get("/v1/cameras")).json()["items"][0],
        (await operator.get(f"{path}/failures")).json()["items"][0],
    ):
        assert (answer["verdict"], answer["cause"], answer["detail"]) == ("down", "unreachable", None)
        assert answer["advice"]["vi"].startswith("Không kết nối được")
        assert "refused" not in json.dumps(answer)
        assert answer.get("duration_ms") is None
        assert not answer.get("steps")
    assert (await operator.get("/v1/cameras", params={"cause": "refused"})).json()["items"] == []
    assert len((await operator.get("/v1/cameras", params={"cause": "unreachable"})).json()["items"]) == 1
    scraped = (await operator.get("/probe", params={"target": str(camera.id)})).text
    assert 'probe_failure{cause="unreachable"} 1.0' in scraped
    assert "probe_duration_seconds{" not in scraped


def test_other_causes_are_shown_to_everybody() -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    failure = Failure(verdict=Verdict.DOWN, cause=Cause.AUTH_FAILED, detail="401", began_at=now, last_at=now, probes=1)
    assert failures_for(Principal("somebody", frozenset({Role.READER})), [failure]) == [failure]

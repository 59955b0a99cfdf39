"""`make leak-test`: what is planted at every input, in every spelling, is found nowhere afterwards.

Logs, metrics, APIs, exports, events, buckets and databases (all of `var/`, byte by byte), and /proc of every process.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from tests.e2e.platform import RunningPlatform
from tests.leaks.planted import SPELLINGS, Garden

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(300)]

SERVICES = ("inventory", "prober", "forwarder", "reporting", "simulator")
LISTS = {
    "inventory": (
        "cameras",
        "destinations",
        "deliveries",
        "recorders",
        "facilities",
        "changes",
        "imports",
        "dead-letters",
    ),
    "prober": ("cameras", "verifications", "workers", "networks"),
    "forwarder": ("deliveries", "workers"),
    "reporting": ("compliance", "overview", "outages", "webhooks"),
}
LEAST_PLANTED = 60


class Planter:
    """Puts secrets in at the inputs of the platform."""

    def __init__(self, running: RunningPlatform, client: httpx.AsyncClient) -> None:
        self.running, self.client, self.garden = running, client, Garden()
        self.answers: list[bytes] = []

    async def call(self, service: str, method: str, path: str, **given: Any) -> httpx.Response:
        address = getattr(self.running.platform.addresses, service)
        answer = await self.client.request(method, f"{address}{path}", **given)
        self.answers.append(answer.content + str(answer.headers).encode())
        return answer

    async def plant_in_addresses(self, facility_id: str) -> None:
        """Refused, one by one, with advice; the answer does not repeat them."""
        for number, spelling in enumerate(SPELLINGS):
            secret = self.garden.plant(f"camera {spelling}")
            body = {
                "code": f"LEAK-{number}",
                "name": "Cổng",
                "facility_id": facility_id,
                "area": "gate",
                "url": f"rtsp://127.0.0.1:9/live{spelling.format(secret)}",
            }
            answer = await self.call("inventory", "POST", "/v1/cameras", json=body)
            assert (answer.status_code, "credentials" in answer.text) == (422, True), (spelling, answer.text)
            secret = self.garden.plant(f"destination {spelling}")
            body = {
                "code": f"LEAK-{number}",
                "name": "Trung tâm",
                "role": "national",
                "url_template": f"rtmp://127.0.0.1:9/live/{{camera_code}}{spelling.format(secret)}",
            }
            answer = await self.call("inventory", "POST", "/v1/destinations", json=body)
            assert answer.status_code == 422, (spelling, answer.text)
            secret = self.garden.plant(f"probe {spelling}")
            body = {"url": f"rtsp://127.0.0.1:9/live{spelling.format(secret)}"}
            answer = await self.call("prober", "POST", "/v1/probes", json=body)
            assert answer.status_code == 422, (spelling, answer.text)
            secret = self.garden.plant(f"webhook {spelling}")
            body = {"name": "Bộ", "url": f"http://127.0.0.1:9/hook{spelling.format(secret)}"}
            answer = await self.call("reporting", "POST", "/v1/webhooks", json=body)
            assert answer.status_code == 422, (spelling, answer.text)

    async def plant_in_a_file(self, facility_code: str) -> None:
        rows = ["code,name,facility_code,area,url,username,password"]
        for number, spelling in enumerate(SPELLINGS):
            url = f"rtsp://127.0.0.1:9/live{spelling.format(self.garden.plant(f'file {spelling}'))}"
            rows.append(f'LEAKF-{number},Cổng,{facility_code},gate,"{url}",,')
        login, odd = self.garden.plant("file userinfo"), self.garden.plant("file password", odd=True)
        rows.append(f"LEAKF-A,Cổng,{facility_code},gate,rtsp://admin:{login}@127.0.0.1:9/live,,")
        rows.append(f'LEAKF-B,Cổng,{facility_code},gate,rtsp://127.0.0.1:9/live,admin,"{odd}"')
        for how in ("", "?answer=file", "?dry_run=true"):
            answer = await self.call(
                "inventory",
                "POST",
                f"/v1/imports/cameras{how}",
                content="\r\n".join(rows).encode(),
                headers={"content-type": "text/csv"},
            )
            assert answer.status_code in {200, 422}, answer.text

    async def plant_logins(self, camera: dict[str, Any], facility_id: str) -> None:
        """Taken, and sealed: at the camera, in the address, in the path; then tried by the workers."""
        for odd in (False, True):
            secret = self.garden.plant(f"userinfo {odd}", odd=odd)
            body = {
                "code": f"LEAKL-{odd}",
                "name": "Cổng",
                "facility_id": facility_id,
                "area": "gate",
                "url": f"rtsp://admin:{quote(secret, safe='')}@127.0.0.1:9/l{odd}?user={{username}}&pwd={{password}}",
            }
            answer = await self.call("inventory", "POST", "/v1/cameras", json=body)
            assert answer.status_code == 201, answer.text
            camera = answer.json()
            secret = self.garden.plant(f"secret route {odd}", odd=odd)
            answer = await self.call(
                "inventory",
                "PUT",
                f"/v1/cameras/{camera['id']}/secret",
                json={"username": "admin", "password": secret},
                headers={"If-Match": camera["etag"], "Idempotency-Key": f'"leak-{odd}"'},
            )
            assert answer.status_code in {204, 412}, answer.text
            secret = self.garden.plant(f"probe login {odd}", odd=odd)
            asked: dict[str, Any] = {
                "url": f"rtsp://127.0.0.1:{9 + odd}/a?pw={{password}}",
                "username": "admin",
                "password": secret,
                "timeout_s": 2,
            }
            answer = await self.call("prober", "POST", "/v1/probes", json=asked)
            assert answer.status_code == 200, answer.text

    async def plant_in_requests(self) -> None:
        """Where nobody asked for them: parameters, paths, headers, tokens, bodies that do not parse."""
        for service in SERVICES[:4]:
            for where in ("access_token", "password"):
                await self.call(service, "GET", f"/v1/workers?{where}={self.garden.plant(f'{service} query {where}')}")
            secret = self.garden.plant(f"{service} token")
            await self.call(
                service, "GET", "/v1/workers", headers={"Authorization": f"Bearer {secret}.{secret}.{secret}"}
            )
            await self.call(
                service,
                "POST",
                "/v1/cameras",
                content=f'{{"password": "{self.garden.plant(f"{service} broken")}"',
                headers={"content-type": "application/json"},
            )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def planter(running: RunningPlatform) -> AsyncIterator[Planter]:
    await running.truth()
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {running.token}"}, timeout=60, trust_env=False
    ) as client:
        planter = Planter(running, client)
        facility = (await running.get("inventory", "/v1/facilities"))["items"][0]
        camera = (await running.get("inventory", "/v1/cameras"))["items"][0]
        await planter.plant_in_addresses(facility["id"])
        await planter.plant_in_a_file(facility["code"])
        await planter.plant_logins(camera, facility["id"])
        await planter.plant_in_requests()
        yield planter


async def test_enough_is_planted_and_no_answer_repeats_it(planter: Planter) -> None:
    assert len(planter.garden.planted) >= LEAST_PLANTED
    assert planter.garden.found_in(b"\n".join(planter.answers)) == []


async def test_nothing_shows_in_apis_metrics_and_exports(planter: Planter) -> None:
    read = []
    for service, nouns in LISTS.items():
        for noun in nouns:
            answer = await planter.call(service, "GET", f"/v1/{noun}")
            assert answer.status_code in {200, 422}, (service, noun, answer.text)
            read.append(answer.content)
    for service in SERVICES[:4]:
        read += [
            (await planter.call(service, "GET", path)).content for path in ("/metrics", "/readyz", "/openapi.json")
        ]
    for noun in ("cameras", "destinations", "deliveries", "recorders"):
        answer = await planter.call("inventory", "GET", f"/v1/exports/{noun}.csv")
        assert answer.status_code == 200, answer.text
        read.append(answer.content)
    assert planter.garden.found_in(b"\n".join(read)) == []


async def test_nothing_stands_in_events_buckets_databases_and_logs(planter: Planter) -> None:
    folder = planter.running.platform.state.root
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and (here := planter.garden.found_in(path.read_bytes())):
            found[str(path.relative_to(folder))] = here
    assert found == {}, json.dumps(found, indent=1)


def of_process(pid: int) -> bytes:
    return b"".join(Path(f"/proc/{pid}/{what}").read_bytes() for what in ("cmdline", "environ"))


async def test_nothing_stands_in_proc(planter: Planter) -> None:
    for name, child in planter.running.platform.children.items():
        assert child.process is not None
        assert planter.garden.found_in(of_process(child.process.pid)) == [], name


async def test_what_is_planted_would_be_found(planter: Planter) -> None:
    """The search itself: in clear, encoded, in capitals, as Basic has it."""
    for one in planter.garden.planted:
        for form in one.forms:
            assert one.where in planter.garden.found_in(b"x" + form + b"y")

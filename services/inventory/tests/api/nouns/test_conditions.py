"""Nobody's edit is lost, none is made twice, and what an official is asked about has a reason."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from tests.unit.day import is_every_case

from inventory.app import create_app
from inventory.settings import Settings
from vonggac.auth import Role
from vonggac.bus import Bus
from vonggac.testing import eventually

AT_ONCE = 25
PAIRS = 1000 if is_every_case() else 100
CREATES = 1000 if is_every_case() else 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_without_if_match_nothing_is_changed(province: Any, method: str) -> None:
    made = await province.agency()
    body = {"json": {"name": "x"}} if method == "PATCH" else {}
    answer = await province.client.request(method, f"/v1/agencies/{made['id']}", **body)
    assert (answer.status_code, answer.json()["code"]) == (428, "if_match_required")
    assert (await province.client.get(f"/v1/agencies/{made['id']}")).json() == made


async def test_the_etag_of_a_list_changes_its_item(province: Any) -> None:
    await province.agency()
    (item,) = (await province.client.get("/v1/agencies", params={"fields": "id,etag"})).json()["items"]
    answer = await province.client.patch(
        f"/v1/agencies/{item['id']}", json={"name": "Sở mới"}, headers={"If-Match": item["etag"]}
    )
    assert (answer.status_code, answer.json()["etag"]) == (200, answer.headers["etag"])


@pytest.mark.parametrize(
    ("path", "first", "then"),
    [
        ("facilities", "active", "suspended"),
        ("facilities", "active", "closed"),
        ("facilities", "closed", "active"),
        ("cameras", True, False),
        ("deliveries", True, False),
        ("destinations", True, False),
    ],
)
async def test_what_an_official_is_asked_about_needs_a_reason(province: Any, path: str, first: Any, then: Any) -> None:
    destination = await province.destination()
    camera = await province.camera()
    ids = {
        "facilities": camera["facility_id"],
        "cameras": camera["id"],
        "deliveries": camera["deliveries"][0]["id"],
        "destinations": destination["id"],
    }
    one, field = f"/v1/{path}/{ids[path]}", "status" if path == "facilities" else "enabled"
    if path == "facilities":
        person = {"full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng", "phone": "0233 3852 123"}
        officer = person | {"facility_id": camera["facility_id"], "valid_from": "2021-05-07"}
        await province.post("/v1/focal-points", officer)
    await province.change(one, json={field: first})
    headers = {"If-Match": await province.etag(one)}
    refused = await province.client.patch(one, json={field: then}, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    assert (await province.client.get(one)).json()[field] == first
    done = await province.client.patch(one, json={field: then}, headers=headers, params={"reason": "sửa mái"})
    assert (done.status_code, done.json()[field]) == (200, then)


async def test_nothing_is_removed_without_a_reason(province: Any) -> None:
    made = await province.agency()
    one = f"/v1/agencies/{made['id']}"
    refused = await province.client.delete(one, headers={"If-Match": made["etag"]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    assert (await province.client.get(one)).status_code == 200


@pytest.mark.parametrize("reason", ["", " ", "\u00a0", "\t"])
async def test_a_blank_reason_is_none(province: Any, reason: str) -> None:
    made = await province.agency()
    one = f"/v1/agencies/{made['id']}"
    refused = await province.client.delete(one, headers={"If-Match": made["etag"]}, params={"reason": reason})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    assert (await province.client.get(one)).status_code == 200


async def edit_until_done(province: Any, read: dict[str, Any], field: str, value: Any) -> int:
    """As a careful person: send the whole record as a form does; when somebody was faster, read and begin anew.

    Returns how often somebody was faster.
    """
    one, refused = f"/v1/facilities/{read['id']}", 0
    while True:
        body = {name: read[name] for name in ("name", "address", "beds")} | {field: value}
        answer = await province.client.patch(one, json=body, headers={"If-Match": read["etag"]})
        if answer.status_code == 200:
            return refused
        assert answer.status_code == 412
        refused += 1
        read = (await province.client.get(one)).json()


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_no_edit_of_many_pairs_at_the_same_time_is_lost(province: Any) -> None:
    dice, refused = random.Random(7), 0
    agency, unit = await province.agency(), await province.unit()
    of = {"unit_id": unit["id"], "managing_agency_id": agency["id"]}
    read = [await province.facility(**of, beds=0, address="0") for _ in range(AT_ONCE)]
    for number in range(1, PAIRS // AT_ONCE + 1):
        wanted = {"beds": number, "address": f"số {number}"}
        edits = [edit_until_done(province, facility, *edit) for facility in read for edit in wanted.items()]
        dice.shuffle(edits)
        refused += sum(await asyncio.gather(*edits))
        read = (await province.client.get("/v1/facilities")).json()["items"]
        assert [{name: facility[name] for name in wanted} for facility in read] == AT_ONCE * [wanted]
    assert refused >= PAIRS, "of each pair one was slower"


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The service on a port of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None, lifespan="on"))
    serve = asyncio.create_task(server.serve(sockets=[listener]))
    await eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serve


async def create_once(client: httpx.AsyncClient, number: int, dice: random.Random) -> int:
    """Create an agency over a line that breaks, again and again until an answer comes. Returns how often it broke."""
    body = {"code": f"AG-{number:04d}", "name": f"Sở {number}", "role": "managing"}
    headers, cut = {"Idempotency-Key": f'"{uuid4()}"'}, 0
    while True:
        # The client closes a line that is too slow; the first ones break while the server is at work.
        timeout = dice.uniform(0.001, 0.05) if cut < 2 else 60.0
        with suppress(httpx.TransportError):
            answer = await client.post("/v1/agencies", json=body, headers=headers, timeout=timeout)
            assert answer.status_code == 201, answer.text
            assert answer.json()["code"] == body["code"]
            return cut
        cut += 1


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_of_many_creates_over_lines_that_break_none_is_made_twice(
    settings: Settings, token_for: Callable[[Role], str], bus: Bus
) -> None:
    dice, cut = random.Random(3), 0
    headers = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD)}"}
    async with (
        serving(settings) as address,
        httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client,
    ):
        for first in range(0, CREATES, AT_ONCE):
            makes = (create_once(client, number, dice) for number in range(first, first + AT_ONCE))
            cut += sum(await asyncio.gather(*makes))
        page = (await client.get("/v1/agencies", params={"total": "true", "limit": 1000})).json()
        log = (await client.get("/v1/changes", params={"total": "true", "limit": 1})).json()
    assert (page["total"], log["total"]) == (CREATES, CREATES)
    assert cut > CREATES // 10, "hardly a line broke"


async def test_a_repeated_request_gets_the_same_answer_and_another_one_is_refused(province: Any) -> None:
    body = {"code": "AG-1", "name": "Sở Y tế", "role": "managing"}
    headers = {"Idempotency-Key": '"a-key"'}
    first, second = [await province.client.post("/v1/agencies", json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, first.json(), first.headers["etag"]) == (201, second.json(), second.headers["etag"])
    other = await province.client.post("/v1/agencies", json=body | {"code": "AG-2"}, headers=headers)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_a_refused_request_may_be_sent_again_with_its_key(province: Any) -> None:
    taken = await province.agency()
    body = {"code": taken["code"], "name": "Sở Y tế", "role": "managing"}
    headers = {"Idempotency-Key": '"a-key"'}
    assert (await province.client.post("/v1/agencies", json=body, headers=headers)).status_code == 409
    await province.remove(f"/v1/agencies/{taken['id']}")
    assert (await province.client.post("/v1/agencies", json=body, headers=headers)).status_code == 201

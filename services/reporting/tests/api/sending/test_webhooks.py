"""/v1/webhooks and /v1/notices as their users see them."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from services.reporting.tests.stage.receivers import receiving
from sqlalchemy import text
from standardwebhooks import Webhook

from vonggac.auth import Role
from vonggac.bus.declared import topology
from vonggac.events import subjects
from vonggac.events.reporting import OutageOpenedV1
from vonggac.testing.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.database import Database

HOOK = {"name": "Hệ thống của Bộ", "url": "http://127.0.0.1:9/hook"}


@pytest.fixture
def sealed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a key, and with this machine as an allowed network."""
    monkeypatch.setattr("reporting.feeds.watcher.WATCH_EVERY_S", 0.1)
    (tmp_path / "seal.key").write_text(base64.b64encode(bytes(range(32))).decode())
    given = {
        "secrets_key_file": tmp_path / "seal.key",
        "allowed_networks": ("127.0.0.0/8",),
    }
    return settings.model_copy(update=given)


@pytest_asyncio.fixture
async def lead(start: Start, sealed: Settings, bus: Bus) -> AsyncIterator[Client]:
    async with start(sealed) as client:
        yield client


async def added(client: Client, **given: Any) -> tuple[dict[str, Any], str]:
    answer = await client.post("/v1/webhooks", json=HOOK | given)
    assert answer.status_code == 201, answer.text
    return answer.json(), answer.headers["etag"]


async def test_the_secret_is_shown_once_and_kept_sealed(lead: Client, database: Database) -> None:
    made, etag = await added(lead)
    assert made["secret"].startswith("whsec_")
    assert etag == '"1"'
    for path in ("/v1/webhooks", f"/v1/webhooks/{made['id']}"):
        answer = await lead.get(path)
        assert answer.status_code == 200
        assert "whsec_" not in answer.text
    async with database.transaction() as session:
        stored = str((await session.execute(text("select webhook::text from webhook"))).scalar_one())
    assert made["secret"].removeprefix("whsec_") not in stored


async def test_an_outage_reaches_the_webhook_signed_and_can_be_sent_again(
    lead: Client, bus: Bus, province: Province
) -> None:
    async with receiving() as receiver:
        made, _ = await added(lead, url=receiver.url, event_types=[OutageOpenedV1.event_type])
        camera = province.camera()
        await province.publish(bus, *province.base(), province.stated("camera", camera))
        at = [province.now - timedelta(seconds=ago) for ago in (20, 10)]
        probes = [province.probe(camera, one, "down", cause="timeout", every_s=600) for one in at]
        await province.publish(bus, *probes, *province.watched(province.now))
        await eventually(lambda: receiver.requests, what="the webhook")
        (request,) = receiver.requests
        event = Webhook(made["secret"]).verify(request.body.decode(), request.headers)
        assert event["data"]["camera_code"] == "CAM-01"
        listed = f"/v1/webhooks/{made['id']}/deliveries"

        async def delivered() -> Any:
            items = (await lead.get(listed, params={"state": "delivered"})).json()["items"]
            return items[0] if items else None

        delivery = await eventually(delivered)
        assert delivery["event_id"] == request.headers["webhook-id"]
        assert [one["outcome"] for one in delivery["attempts"]] == ["delivered"]
        again = await lead.post(f"{listed}/{delivery['id']}/send-again")
        assert again.json() == {"pending": 1}
        await eventually(lambda: len(receiver.requests) == 2)
        assert receiver.requests[1].body == request.body
        assert receiver.requests[1].headers["webhook-id"] == request.headers["webhook-id"]
        message = await bus.js.get_last_msg(topology.NOTICES, subjects.notice("outage", camera.id))
        assert message.data == request.body
        (noticed,) = (await lead.get("/v1/notices")).json()["items"]
        assert noticed["event"] == json.loads(request.body)
        assert noticed["published_at"] is not None
        unknown = await lead.get("/v1/notices", params={"event_type": "outage_opened"})
        assert (unknown.status_code, "vn.vonggac.reporting.outage_opened.v1" in unknown.text) == (422, True)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"url": "http://192.0.2.7/hook"}, "outside the allowed networks"),
        ({"url": "https://8.8.8.8/hook"}, "outside the allowed networks"),
        ({"url": "ftp://127.0.0.1/hook"}, "https://"),
        ({"url": "http://user:matkhau123@127.0.0.1/hook"}, "must not hold a user or password"),
        ({"url": "http://127.0.0.1/hook#part"}, "fragment"),
        ({"url": "http://127.0.0.1:99999/hook"}, "port"),
        ({"event_types": ["vn.vonggac.reporting.no_such.v1"]}, "no such type"),
        ({"name": ""}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_webhook_that_cannot_work_is_refused_by_what_is_wrong(
    lead: Client, given: dict[str, Any], named: str
) -> None:
    answer = await lead.post("/v1/webhooks", json=HOOK | given)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in answer.text
    assert "matkhau123" not in answer.text


@pytest.mark.parametrize(
    "target",
    ["/hook?access_token={}", "/hook?p%61ssword={}", "/hook;sig={}", "/passwd/{}/x", "/admin:{}/x", "/bot1:{}/send"],
)
async def test_an_address_that_holds_a_secret_is_refused_since_it_is_shown(lead: Client, target: str) -> None:
    secret = "x8fK2lQ9mP4zR7vT1nW3"
    made, etag = await added(lead)
    given = {"url": f"http://127.0.0.1:9{target.format(secret)}"}
    refused = [
        await lead.post("/v1/webhooks", json=HOOK | given),
        await lead.patch(f"/v1/webhooks/{made['id']}", json=given, headers={"If-Match": etag}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")
        assert "signed instead" in answer.text
        assert secret not in answer.text


async def test_a_part_that_looks_like_a_key_is_taken_from_whoever_says_that_it_is_none(lead: Client) -> None:
    url = "http://127.0.0.1:9/hooks/a1b2c3d4e5f6a7b8"
    assert (await lead.post("/v1/webhooks", json=HOOK | {"url": url})).status_code == 422
    made, etag = await added(lead, url=url, path_is_no_secret=True)
    assert made["url"] == url
    path, other = f"/v1/webhooks/{made['id']}", {"url": url + "9"}
    assert (await lead.patch(path, json=other, headers={"If-Match": etag})).status_code == 422
    changed = await lead.patch(path, json=other | {"path_is_no_secret": True}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["url"]) == (200, url + "9")


async def test_without_a_key_no_secret_is_taken(client: Client) -> None:
    answer = await client.post("/v1/webhooks", json=HOOK | {"url": "http://10.0.0.1/"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_key")
    assert "VONGGAC_REPORTING_SECRETS_KEY_FILE" in answer.json()["detail"]


async def test_a_change_needs_what_was_read(lead: Client) -> None:
    made, etag = await added(lead)
    path = f"/v1/webhooks/{made['id']}"
    assert (await lead.patch(path, json={"enabled": False})).status_code == 428
    changed = await lead.patch(path, json={"enabled": False}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["enabled"], changed.headers["etag"]) == (200, False, '"2"')
    assert (await lead.patch(path, json={"name": "x"}, headers={"If-Match": etag})).status_code == 412
    assert (await lead.delete(path, headers={"If-Match": etag})).status_code == 412
    assert (await lead.delete(path, headers={"If-Match": '"2"'})).status_code == 204
    assert (await lead.get(path)).status_code == 404
    assert (await lead.get(f"{path}/deliveries")).status_code == 404


async def test_a_new_secret_is_another_one_and_the_old_one_goes_on_for_a_day(lead: Client) -> None:
    made, etag = await added(lead)
    renewed = await lead.post(f"/v1/webhooks/{made['id']}/secret", headers={"If-Match": etag})
    assert renewed.status_code == 200
    assert renewed.json()["secret"] != made["secret"]
    assert renewed.json()["old_secret_until"] is not None


@pytest.mark.parametrize("role", [Role.READER, Role.AUTHORITY, Role.SERVICE])
async def test_who_only_reads_sends_and_changes_nothing(start: Start, sealed: Settings, bus: Bus, role: Role) -> None:
    async with start(sealed) as lead:
        made, _ = await added(lead)
    path = f"/v1/webhooks/{made['id']}"
    async with start(sealed, role) as reader:
        assert (await reader.get("/v1/webhooks")).status_code == 200
        asked = [
            await reader.post("/v1/webhooks", json=HOOK),
            await reader.patch(path, json={"enabled": False}, headers={"If-Match": "*"}),
            await reader.post(f"{path}/secret", headers={"If-Match": "*"}),
            await reader.post(f"{path}/send-failed-again"),
            await reader.post(f"{path}/deliveries/{made['id']}/send-again"),
            await reader.delete(path, headers={"If-Match": "*"}),
        ]
    assert {answer.status_code for answer in asked} == {403}

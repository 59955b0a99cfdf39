"""A facility's link at reporting: it reads what the facility was urged about and answers that, and nothing else."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
from services.reporting.tests.api.sending.test_urging import lead, outage, sealed
from services.reporting.tests.stage.province import AWAKE_SINCE

from vonggac.auth.links import digest_link_token, new_link_token
from vonggac.auth.policy import REPORTING
from vonggac.embedded import free_port
from vonggac.events.inventory import FacilityLinkV1, FacilityStatus, RemovedV1
from vonggac.testing.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.settings import Settings
    from vonggac.bus import Bus

__all__ = ["lead", "sealed"]
SHUT = [entry for entry in REPORTING if not entry.by_link]


class Link:
    """A link as the register publishes it, and calls by it."""

    def __init__(self, province: Province, client: Client, **given: Any) -> None:
        self.token = new_link_token()
        self.province, self.client = province, client
        known: dict[str, Any] = {
            "id": uuid4(),
            "revision": 1,
            "changed_at": AWAKE_SINCE,
            "created_at": AWAKE_SINCE,
            "facility_id": province.facility,
            "token_sha256": digest_link_token(self.token).hex(),
            "expires_at": province.now + timedelta(hours=24),
        }
        self.state = FacilityLinkV1(**(known | given))

    async def publish(self, bus: Bus) -> None:
        await self.province.publish(bus, self.province.stated("facility_link", self.state))

    async def call(self, method: str, path: str, **sent: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "If-Match": "*"}
        answer: httpx.Response = await self.client.request(method, path, headers=headers, **sent)
        return answer

    async def opens(self) -> bool:
        return (await self.call("GET", "/v1/urges")).status_code == 200

    async def is_over(self) -> bool:
        return (await self.call("GET", "/v1/urges")).status_code in {401, 429}


async def urge(lead: Client, bus: Bus, province: Province) -> str:
    """The path of an urge that the managing agency got about the facility."""
    await outage(lead, bus, province)
    made = await lead.post("/v1/urges", json={"agency_id": str(province.agency), "level": 2, "reason": "Họp BCĐ"})
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


async def test_duty_a_facility_answers_an_urge_by_its_link_as_its_own_word(
    lead: Client, bus: Bus, province: Province
) -> None:
    path = await urge(lead, bus, province)
    link = Link(province, lead)
    await link.publish(bus)
    await eventually(link.opens, what="the link")
    (shown,) = (await link.call("GET", "/v1/urges", params={"total": True})).json()["items"]
    assert [one["facility_code"] for one in shown["items"]] == ["KCL-01"]
    assert (shown["decided_by"], shown["reason"], shown["sendings"], shown["answers"]) == ("***", None, [], [])

    given = await link.call("POST", f"{path}/answers", json={"text": "Đã thay nguồn camera"})
    assert given.status_code == 201, given.text
    answer = given.json()
    assert (answer["own_word"], answer["recorded"]) == (True, None)
    assert (answer["facility_id"], answer["facility_name"]) == (str(province.facility), "Khu cách ly Lao Bảo")
    assert answer["recorded_by"] == f"facility-link:{link.state.id}"
    (shown,) = (await link.call("GET", "/v1/urges")).json()["items"]
    assert [one["id"] for one in shown["answers"]] == [answer["id"]]
    (known,) = (await lead.get(path)).json()["answers"]
    assert (known["text"], known["facility_name"]) == ("Đã thay nguồn camera", "Khu cách ly Lao Bảo")
    file = await lead.get("/v1/urges", params={"format": "csv"})
    assert "Đã thay nguồn camera" not in file.text, "the column is of the party's answers"


async def test_duty_a_link_sees_and_answers_nothing_of_another_facility(
    lead: Client, bus: Bus, province: Province
) -> None:
    path = await urge(lead, bus, province)
    other = province.facility_state(id=uuid4(), code="KCL-02", name="Khu cách ly 2")
    link = Link(province, lead, facility_id=other.id)
    await province.publish(bus, province.stated("facility", other))
    await link.publish(bus)
    await eventually(link.opens, what="the link")
    assert (await link.call("GET", "/v1/urges", params={"total": True})).json() | {"next": None} == {
        "items": [],
        "total": 0,
        "next": None,
    }
    assert (await link.call("GET", "/v1/urges", params={"facility": "KCL-01"})).status_code in {404, 422}
    assert (await link.call("POST", f"{path}/answers", json={"text": "x"})).status_code == 404
    assert (await lead.get(path)).json()["answers"] == []


async def test_duty_a_link_opens_no_other_route(lead: Client, bus: Bus, province: Province) -> None:
    path = await urge(lead, bus, province)
    link = Link(province, lead)
    await link.publish(bus)
    await eventually(link.opens, what="the link")
    for entry in SHUT:
        answer = await link.call(entry.method, entry.path.replace("{urge_id}", path.rpartition("/")[2]), json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "link_too_narrow"), entry.key
    assert "trả lời đôn đốc" in answer.json()["detail_vi"]
    assert (await link.call("GET", "/v1/urges", params={"format": "csv"})).status_code == 403
    assert (await link.call("GET", "/v1/urges", params={"q": "Họp"})).status_code == 422
    assert len(SHUT) == len(REPORTING) - 2


async def test_duty_a_link_that_is_over_revoked_or_removed_is_refused(
    lead: Client, bus: Bus, province: Province
) -> None:
    path = await urge(lead, bus, province)
    past = Link(province, lead, expires_at=province.now - timedelta(seconds=1))
    revoked, removed = Link(province, lead), Link(province, lead)
    for each in (past, revoked, removed):
        await each.publish(bus)
    for each in (revoked, removed):
        await eventually(each.opens, what="the link")
    assert (await past.call("POST", f"{path}/answers", json={"text": "x"})).status_code == 401

    at = province.now
    state = revoked.state.model_copy(update={"revision": 2, "changed_at": at, "revoked_at": at})
    gone = RemovedV1(id=removed.state.id, noun="facility_link", revision=3, removed_at=at)
    await province.publish(bus, province.stated("facility_link", state), province.stated("facility_link", gone))
    for each in (revoked, removed):
        await eventually(each.is_over, what="the refusal")
        # What was published before comes again: it opens nothing.
        await each.publish(bus)
    other = Link(province, lead)
    await other.publish(bus)
    await eventually(other.opens, what="the link after them")
    for each in (revoked, removed):
        assert await each.is_over()

    closed = province.facility_state(revision=2, changed_at=at, status=FacilityStatus.CLOSED)
    await province.publish(bus, province.stated("facility", closed))
    await eventually(other.is_over, what="the refusal")
    assert (await lead.get(path)).json()["answers"] == []


@asynccontextmanager
async def without_nats(start: Start, sealed: Settings) -> AsyncIterator[Client]:
    given = sealed.model_copy(update={"nats_url": f"nats://127.0.0.1:{free_port()}"})
    async with start(given) as client:
        yield client


async def test_duty_no_link_is_taken_while_nobody_knows_what_was_revoked(
    start: Start, sealed: Settings, province: Province
) -> None:
    async with without_nats(start, sealed) as client:
        refused = await Link(province, client).call("GET", "/v1/urges")
    problem = refused.json()
    assert (refused.status_code, problem["code"], "retry-after" in refused.headers) == (503, "links_unknown", True)
    assert "liên kết" in problem["detail_vi"]

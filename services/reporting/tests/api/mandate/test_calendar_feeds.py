"""Calendar feeds: read with a user and a password as calendar programs send them, revoked at once, shown nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from ical.calendar_stream import IcsCalendarStream
from services.reporting.tests.stage.letter import Letter
from sqlalchemy import text

from vonggac.auth import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database


@pytest.fixture
async def owed(ingest: Ingest, province: Province) -> Letter:
    """Two facilities that owe a connection."""
    letter = Letter(province)
    things = [("facility", letter.facility(code)) for code in ("A", "B")]
    duty = letter.obligation("NV-1742-B", "connection")
    stated = [letter.stated(noun, thing) for noun, thing in (*things, ("obligation", duty))]
    await province.feed(ingest, *letter.base(), *stated)
    return letter


async def added(client: Client, **given: Any) -> dict[str, Any]:
    answer = await client.post("/v1/calendar-feeds", json={"name": "Lịch của Sở Y tế", **given})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert answer.headers["location"] == body["path"] == f"/v1/calendar-feeds/{body['id']}.ics"
    return body


async def subscribed(client: Client, feed: dict[str, Any], user: str | None = None, password: str | None = None) -> Any:
    """As a calendar program asks: without a token, with user and password."""
    login = httpx.BasicAuth(user or feed["id"], password or feed["password"])
    request = client.build_request("GET", feed["path"])
    del request.headers["authorization"]
    return await client.send(next(login.auth_flow(request)))


def owed_in(answer: Any) -> Any:
    """The event of the obligation."""
    events = IcsCalendarStream.calendar_from_ics(answer.text).events
    return next(one for one in events if one.summary == "Hạn: Nghĩa vụ NV-1742-B")


async def test_a_calendar_program_reads_the_deadlines_with_user_and_password(client: Client, owed: Letter) -> None:
    feed = await added(client)
    answer = await subscribed(client, feed)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/calendar")
    event = owed_in(answer)
    assert "Chưa xong: 2/2 cơ sở" in str(event.description)
    (listed,) = (await client.get("/v1/calendar-feeds")).json()["items"]
    assert listed["last_read_at"] is not None


@pytest.mark.parametrize("way", ["basic", "address", "scheme"])
async def test_wrong_passwords_of_an_address_are_limited_as_wrong_tokens_are(
    client: Client, owed: Letter, way: str
) -> None:
    feed = await added(client)
    most = 60

    async def guess(number: int) -> Any:
        if way == "basic":
            return await subscribed(client, feed, password=f"guess-{number}")
        if way == "address":
            return await client.get(f"/v1/calendar-feeds/{feed['id']}/guess-{number}.ics")
        return await client.get(feed["path"], headers={"Authorization": f"Digest guess-{number}"})

    answers = [await guess(number) for number in range(most + 2)]
    assert {answer.status_code for answer in answers[:most]} == {401}
    assert {answer.status_code for answer in answers[most:]} == {429}
    assert answers[-1].json()["code"] == "too_many_wrong_tokens"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert (await subscribed(client, feed)).status_code == 200
    unasked = client.build_request("GET", feed["path"])
    del unasked.headers["authorization"]
    assert (await client.send(unasked)).status_code == 401, "it asks whether a login is needed, and tries none"
    wrong_token = await client.get("/v1/calendar-feeds", headers={"Authorization": "Bearer wrong"})
    assert wrong_token.status_code == 429, "passwords and tokens are counted together"


async def test_a_feed_shows_only_what_it_was_narrowed_to(client: Client, owed: Letter) -> None:
    feed = await added(client, facility="B")
    event = owed_in(await subscribed(client, feed))
    assert "Chưa xong: 1/1 cơ sở" in str(event.description)
    refused = await client.post("/v1/calendar-feeds", json={"name": "x", "facility": "Z"})
    assert refused.status_code == 422
    assert "no facility with the code or id 'Z'" in refused.text


async def test_a_feed_stays_with_the_facility_that_it_was_narrowed_to(
    client: Client, ingest: Ingest, province: Province, owed: Letter
) -> None:
    """Its code is another one's since."""
    other = owed.facility("C")
    await province.feed(ingest, owed.stated("facility", other))
    feed = await added(client, facility="C")
    now = datetime.now(UTC)
    renamed = [owed.later(other, now, code="D"), owed.facility("C", now)]
    await province.feed(ingest, *(owed.stated("facility", one) for one in renamed))
    assert "Chưa xong: 1/1 cơ sở" in str(owed_in(await subscribed(client, feed)).description)


async def test_a_revoked_feed_is_read_no_more(client: Client, owed: Letter) -> None:
    feed, other = await added(client), await added(client)
    assert (await client.delete(f"/v1/calendar-feeds/{feed['id']}")).status_code == 204
    refused = await subscribed(client, feed)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert (await subscribed(client, other)).status_code == 200
    assert (await client.delete(f"/v1/calendar-feeds/{feed['id']}")).status_code == 404
    listed = {one["id"]: one["revoked_by"] for one in (await client.get("/v1/calendar-feeds")).json()["items"]}
    assert listed[feed["id"]] is not None
    assert listed[other["id"]] is None


async def test_a_wrong_login_is_refused_and_a_right_one_opens_nothing_else(client: Client, owed: Letter) -> None:
    feed, other = await added(client), await added(client)
    assert (await subscribed(client, feed, password=other["password"])).status_code == 401
    assert (await subscribed(client, feed, user=other["id"], password=other["password"])).status_code == 401
    assert (await subscribed(client, {**feed, "path": "/v1/obligations"})).status_code == 401
    assert (await subscribed(client, {**feed, "path": f"/v1/calendar-feeds/{other['id']}.ics"})).status_code == 401
    request = client.build_request("GET", feed["path"])
    for value in ("Basic !!!", "Basic", "Digest x", ""):
        request.headers["authorization"] = value
        assert (await client.send(request)).status_code == 401


async def test_a_user_that_is_no_id_is_refused_whatever_it_is_made_of(client: Client) -> None:
    for user in ("-" * 36, "0" * 36, "0" * 32 + "-" * 4):
        path = f"/v1/calendar-feeds/{user}.ics"
        answer = await subscribed(client, {"id": user, "path": path, "password": "x"})
        assert answer.status_code == 401, (user, answer.text)
        by_address = client.build_request("GET", f"/v1/calendar-feeds/{user}/x.ics")
        del by_address.headers["authorization"]
        assert (await client.send(by_address)).status_code == 401, user


async def test_the_password_is_in_one_answer_and_nowhere_else(
    client: Client, owed: Letter, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(0):
        feed = await added(client)
        await subscribed(client, feed)
        await subscribed(client, feed, user="x")
        listed = (await client.get("/v1/calendar-feeds")).text
    assert feed["password"] not in listed + caplog.text
    async with database.transaction() as session:
        rows = (await session.execute(text("select calendar_feed::text from calendar_feed"))).scalars()
        assert not any(feed["password"] in row for row in rows)


async def without_login(client: Client, path: str, **headers: str) -> Any:
    """As a web calendar asks: with the address alone."""
    request = client.build_request("GET", path, headers=headers)
    if "Authorization" not in headers:
        del request.headers["authorization"]
    return await client.send(request)


async def test_a_web_calendar_reads_by_an_address_that_carries_the_password(client: Client, owed: Letter) -> None:
    feed = await added(client, by_address=True, facility="B")
    answer = await without_login(client, feed["address"])
    assert answer.status_code == 200, answer.text
    assert "Chưa xong: 1/1 cơ sở" in str(owed_in(answer).description)
    assert owed_in(await subscribed(client, feed)).uid == owed_in(answer).uid


async def test_an_address_is_answered_until_the_feed_is_revoked(client: Client, owed: Letter) -> None:
    feed = await added(client, by_address=True)
    await client.delete(f"/v1/calendar-feeds/{feed['id']}")
    assert (await without_login(client, feed["address"])).status_code == 401


async def test_an_address_opens_only_a_feed_that_was_made_for_it_and_reads_it_alone(
    client: Client, owed: Letter, token_for: Callable[[Role], str]
) -> None:
    feed, plain = await added(client, by_address=True), await added(client)
    assert plain["address"] is None
    guessed = f"/v1/calendar-feeds/{plain['id']}/{plain['password']}.ics"
    lead = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD)}"}
    for wrong in (guessed, feed["address"][:-5] + ".ics", feed["address"].replace(feed["id"], plain["id"])):
        assert (await without_login(client, wrong)).status_code == 401, wrong
        assert (await without_login(client, wrong, **lead)).status_code == 401, wrong
    for method in ("DELETE", "POST", "PUT"):
        assert (await client.request(method, feed["address"])).status_code in {403, 404, 405}
    assert (await without_login(client, feed["address"])).status_code == 200


async def test_an_address_is_in_one_answer_and_in_no_log(
    client: Client, owed: Letter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(0):
        feed = await added(client, by_address=True)
        caplog.clear()
        answers = [
            await without_login(client, feed["address"]),
            await without_login(client, feed["address"].removesuffix(".ics")),
            await without_login(client, feed["address"] + "/more"),
            await client.get("/v1/calendar-feeds"),
            await client.get("/metrics"),
        ]
    ours = "".join(record.getMessage() for record in caplog.records if record.name != "httpx")
    assert [answer.status_code for answer in answers] == [200, 200, 401, 200, 200]
    assert feed["password"] not in "".join(answer.text + str(answer.headers) for answer in answers) + ours


async def test_only_the_lead_adds_feeds(client: Client, token_for: Callable[[Role], str]) -> None:
    for role in (Role.OPERATOR, Role.MANAGING_AGENCY, Role.READER):
        headers = {"Authorization": f"Bearer {token_for(role)}"}
        refused = await client.post("/v1/calendar-feeds", json={"name": "x"}, headers=headers)
        assert refused.status_code == 403, role

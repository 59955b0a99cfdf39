"""Delivering notices to a receiver on this machine: signed, tried again, in order, only where it is allowed."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from services.reporting.tests.stage.receivers import Receiver, receiving
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from standardwebhooks import Webhook

from reporting.feeds import webhooks as feed
from reporting.feeds.sealing import Seal
from reporting.feeds.signing import new_secret
from reporting.feeds.webhooks import WebhookSender
from reporting.storage.sending import deliveries, notices, webhooks
from reporting.storage.sending.notices import Notice
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.events.reporting import OutageOpenedV1
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vonggac.database import Database

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SECRET = new_secret()
SEAL = Seal(bytes(range(32)))


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


class Deliveries:
    """A sender whose clock the test sets, and the tables that it works on."""

    def __init__(self, database: Database) -> None:
        self.now, self._database = NOW, database
        self.sender = WebhookSender(database, SEAL, AllowedNetworks.parse(["127.0.0.0/8"]), clock=lambda: self.now)

    async def webhook(self, url: str, **given: Any) -> UUID:
        made = uuid4()
        values = {
            "id": made,
            "revision": 1,
            "name": "Bộ",
            "url": url,
            "event_types": [],
            "secret": SEAL.close(SECRET),
            "enabled": True,
            "created_at": NOW,
            "created_by": "lead",
            "changed_at": NOW,
            "changed_by": "lead",
        }
        async with self._database.transaction() as session:
            await webhooks.add(session, values | given)
        return made

    async def notice(self, camera: UUID, key: str, *, most: int = notices.MAX_PENDING) -> None:
        data = OutageOpenedV1(
            outage_id=uuid4(),
            camera_id=camera,
            camera_code="CAM-01",
            facility_id=uuid4(),
            facility_code="KCL-01",
            began_at=NOW,
            cause="timeout",
        )
        async with self._database.transaction() as session:
            await notices.append(session, [Notice("outage", camera, f"{camera}:{key}", NOW, data)], NOW, most=most)

    async def deliver(self, after: timedelta = timedelta()) -> int:
        """Try once what is due then."""
        self.now += after
        async with httpx.AsyncClient(trust_env=False) as client:
            return await self.sender.deliver(client)

    async def rows(self) -> list[Any]:
        async with self._database.transaction() as session:
            return list(await session.execute(text("select * from webhook_delivery order by webhook_id, sequence")))

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        async with self._database.transaction() as session:
            yield session


@pytest.fixture
def to_send(database: Database) -> Deliveries:
    return Deliveries(database)


async def test_a_receiver_gets_the_event_and_can_verify_it(to_send: Deliveries, receiver: Receiver) -> None:
    to_send.now = datetime.now(UTC)
    await to_send.webhook(receiver.url)
    await to_send.notice(uuid4(), "1")
    assert await to_send.deliver() == 1
    (request,) = receiver.requests
    assert request.head == "POST /hook HTTP/1.1"
    assert request.headers["content-type"] == CONTENT_TYPE
    event = Webhook(SECRET).verify(request.body.decode(), request.headers)
    assert event["type"] == OutageOpenedV1.event_type
    assert event["id"] == request.headers["webhook-id"]
    (row,) = await to_send.rows()
    assert (row.state, row.attempts, row.outcome, row.http_status) == ("delivered", 1, "delivered", 200)
    assert await to_send.deliver(timedelta(hours=1)) == 0


async def test_a_failed_message_is_tried_again_later_with_the_same_id(to_send: Deliveries, receiver: Receiver) -> None:
    receiver.answers = ["500", "302 Location: http://127.0.0.1/elsewhere", "200"]
    await to_send.webhook(receiver.url)
    await to_send.notice(uuid4(), "1")
    assert await to_send.deliver() == 1
    assert await to_send.deliver(timedelta(seconds=4)) == 0
    assert await to_send.deliver(timedelta(seconds=3)) == 1
    assert await to_send.deliver(timedelta(seconds=40)) == 1
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    (row,) = await to_send.rows()
    assert (row.state, row.attempts) == ("delivered", 3)
    async with to_send.session() as session:
        attempts = (await deliveries.attempts_of(session, [row.id]))[row.id]
    assert [(one.number, one.outcome, one.http_status) for one in attempts] == [
        (1, "http_status", 500),
        (2, "http_status", 302),
        (3, "delivered", 200),
    ]


async def test_an_end_never_overtakes_its_beginning_and_other_cameras_do_not_wait(
    to_send: Deliveries, receiver: Receiver
) -> None:
    camera, other = uuid4(), uuid4()
    receiver.answers = ["503"]
    await to_send.webhook(receiver.url)
    await to_send.notice(camera, "began")
    await to_send.deliver()
    await to_send.notice(camera, "ended")
    await to_send.notice(other, "began")
    assert await to_send.deliver() == 1
    assert json.loads(receiver.requests[-1].body)["subject"] == str(other)
    while await to_send.deliver(timedelta(seconds=60)):
        pass
    assert [json.loads(request.body)["subject"] == str(camera) for request in receiver.requests] == [
        True,
        False,
        True,
        True,
    ]
    assert {row.state for row in await to_send.rows()} == {"delivered"}


async def test_a_receiver_that_is_down_does_not_keep_another_from_its_messages(
    to_send: Deliveries, receiver: Receiver
) -> None:
    async with receiving() as gone:
        url = gone.url
    await to_send.webhook(url)
    well = await to_send.webhook(receiver.url)
    await to_send.notice(uuid4(), "1")
    assert await to_send.deliver() == 2
    outcomes = {row.webhook_id == well: (row.state, row.outcome) for row in await to_send.rows()}
    assert outcomes == {True: ("delivered", "delivered"), False: ("pending", "refused")}


async def test_a_receiver_that_never_answers_does_not_keep_another_from_its_messages(
    to_send: Deliveries, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "ANSWER_WITHIN_S", 3600.0)
    ready = asyncio.Event()
    ready.set()
    async with receiving() as silent:
        silent.decide = lambda _: "hang"
        await to_send.webhook(silent.url)
        await to_send.webhook(receiver.url)
        for _ in range(20):
            await to_send.notice(uuid4(), "1")
        running = asyncio.create_task(to_send.sender.run(ready))
        await eventually(lambda: len(receiver.requests) == 20, within_s=60)
        assert silent.requests
        running.cancel()
        await asyncio.wait({running})


async def test_a_database_that_is_away_when_an_attempt_is_recorded_ends_nothing(
    to_send: Deliveries, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, away = deliveries.record_attempt, [OperationalError("", None, Exception())]

    async def record_attempt(*given: Any) -> None:
        if away:
            raise away.pop()
        await kept(*given)

    monkeypatch.setattr(deliveries, "record_attempt", record_attempt)
    monkeypatch.setattr(feed, "POLL_S", 0.05)
    await to_send.webhook(receiver.url)
    await to_send.notice(uuid4(), "1")
    ready = asyncio.Event()
    ready.set()
    running = asyncio.create_task(to_send.sender.run(ready))
    await eventually(lambda: not away, within_s=60)
    to_send.now += feed.LEASE

    async def is_delivered() -> bool:
        return [row.state for row in await to_send.rows()] == ["delivered"]

    await eventually(is_delivered, within_s=60)
    assert not running.done()
    running.cancel()
    await asyncio.wait({running})


async def test_a_message_is_given_up_after_its_budget_and_can_be_sent_again(
    to_send: Deliveries, receiver: Receiver
) -> None:
    receiver.decide = lambda _request: "500"
    webhook = await to_send.webhook(receiver.url)
    await to_send.notice(uuid4(), "1")
    while await to_send.deliver(timedelta(hours=24)):
        pass
    (row,) = await to_send.rows()
    assert (row.state, row.attempts) == ("failed", 10)
    receiver.decide = None
    async with to_send.session() as session:
        assert await deliveries.send_failed_again(session, webhook, to_send.now) == 1
    assert await to_send.deliver() == 1
    (row,) = await to_send.rows()
    assert (row.state, row.attempts, row.budget_from) == ("delivered", 11, 10)


async def test_an_address_outside_the_allowed_networks_is_never_connected_to(
    database: Database, to_send: Deliveries, receiver: Receiver
) -> None:
    to_send.sender = WebhookSender(database, SEAL, AllowedNetworks.parse(["10.0.0.0/8"]), clock=lambda: to_send.now)
    for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost"), "http://2130706433/x"):
        await to_send.webhook(url)
    await to_send.notice(uuid4(), "1")
    assert await to_send.deliver() == 3
    assert {row.outcome for row in await to_send.rows()} == {"address_not_allowed"}
    assert receiver.requests == []


async def test_a_receiver_that_is_gone_is_switched_off(to_send: Deliveries, receiver: Receiver) -> None:
    receiver.answers = ["410"]
    webhook = await to_send.webhook(receiver.url)
    await to_send.notice(uuid4(), "1")
    await to_send.deliver()
    async with to_send.session() as session:
        row = await webhooks.get(session, webhook)
    assert (row.enabled, row.disabled_because, row.revision) == (False, "the receiver answered 410 Gone", 2)
    await to_send.notice(uuid4(), "2")
    assert [one.state for one in await to_send.rows()] == ["failed"]


async def test_what_is_noticed_while_a_webhook_is_switched_off_waits_for_it(
    to_send: Deliveries, receiver: Receiver
) -> None:
    webhook = await to_send.webhook(receiver.url, enabled=False)
    await to_send.notice(uuid4(), "1")
    assert await to_send.deliver(timedelta(hours=1)) == 0
    async with to_send.session() as session:
        await webhooks.change(session, webhook, {"enabled": True}, to_send.now, "lead")
    assert await to_send.deliver() == 1
    assert len(receiver.requests) == 1


async def test_beyond_the_bound_the_oldest_is_dropped_and_the_newest_waits(to_send: Deliveries) -> None:
    await to_send.webhook("http://127.0.0.1:1/", enabled=True)
    for number in range(5):
        await to_send.notice(uuid4(), str(number), most=3)
    assert [row.state for row in await to_send.rows()] == ["dropped", "dropped", "pending", "pending", "pending"]


async def test_the_same_fact_found_again_is_written_once(to_send: Deliveries) -> None:
    await to_send.webhook("http://127.0.0.1:1/")
    camera = uuid4()
    for _ in range(3):
        await to_send.notice(camera, "the same")
    assert len(await to_send.rows()) == 1


async def test_a_webhook_gets_only_the_types_that_it_wants(to_send: Deliveries) -> None:
    await to_send.webhook("http://127.0.0.1:1/", event_types=["vn.vonggac.reporting.report_frozen.v1"])
    await to_send.notice(uuid4(), "1")
    assert await to_send.rows() == []


async def test_a_message_under_way_when_the_process_died_is_sent_by_the_next(
    to_send: Deliveries, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id = await to_send.webhook(receiver.url)
    await to_send.notice(uuid4(), "1")
    async with to_send.session() as session:
        assert len(await deliveries.claim(session, webhook_id, to_send.now, to_send.now + feed.LEASE)) == 1
    assert await to_send.deliver(timedelta(seconds=30)) == 0
    assert await to_send.deliver(timedelta(seconds=31)) == 1
    assert len(receiver.requests) == 1


async def test_an_attempt_that_ends_after_a_newer_one_has_delivered_changes_nothing(to_send: Deliveries) -> None:
    webhook_id = await to_send.webhook("http://127.0.0.1:1/")
    await to_send.notice(uuid4(), "1")
    async with to_send.session() as session:
        await session.execute(text("update webhook_delivery set attempts = 9"))
        (last,) = await deliveries.claim(session, webhook_id, to_send.now, to_send.now + feed.LEASE)
        await deliveries.send_again(session, webhook_id, last.id, to_send.now)
        (again,) = await deliveries.claim(session, webhook_id, to_send.now, to_send.now + feed.LEASE)
    await to_send.sender._record(again, feed.Attempt(feed.Outcome.DELIVERED, 5, 200))
    await to_send.sender._record(last, feed.Attempt(feed.Outcome.TIMEOUT, 15_000))
    (row,) = await to_send.rows()
    assert (row.state, row.outcome, row.http_status) == ("delivered", "delivered", 200)


async def test_a_receiver_that_never_answers_is_a_timeout(
    to_send: Deliveries, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "ANSWER_WITHIN_S", 0.2)
    receiver.answers = ["hang"]
    await to_send.webhook(receiver.url)
    await to_send.notice(uuid4(), "1")
    await to_send.deliver()
    (row,) = await to_send.rows()
    assert (row.state, row.outcome) == ("pending", "timeout")


async def test_a_secret_sealed_with_another_key_is_said_and_nothing_is_sent(
    to_send: Deliveries, receiver: Receiver
) -> None:
    await to_send.webhook(receiver.url, secret=Seal(bytes(32)).close(SECRET))
    await to_send.notice(uuid4(), "1")
    await to_send.deliver()
    (row,) = await to_send.rows()
    assert (row.outcome, receiver.requests) == ("secret_unreadable", [])


def test_a_key_is_thirty_two_bytes() -> None:
    with pytest.raises(ValueError):
        Seal(base64.b64decode("AAAA"))

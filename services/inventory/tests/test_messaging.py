"""The outbox: what is committed is published, in order, whatever NATS and PostgreSQL do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from nats.js.errors import NotFoundError
from structlog.testing import capture_logs

from inventory.messaging import Relay, window
from inventory.metrics import Metrics
from inventory.storage import outbox
from inventory.storage.upkeep.republishing import republish
from vonggac.bus import Bus, EventConsumer, Received
from vonggac.bus.declared import topology
from vonggac.database import Database
from vonggac.embedded import NatsServer, PostgresServer
from vonggac.events import CloudEvent, Payload, decode, subjects
from vonggac.events.inventory import AgencyV1, CameraV1, DestinationV1, FocalPointV1, RemovedV1, UnitV1
from vonggac.testing import eventually
from vonggac.testing.waiting import running_beside

A, B = subjects.inventory("camera", "a"), subjects.inventory("camera", "b")


async def latest(bus: Bus, noun: str, thing_id: str) -> CloudEvent[Payload]:
    """The last message about a thing. Raises AssertionError while there is none."""
    try:
        message = await bus.js.get_last_msg(topology.INVENTORY, subjects.inventory(noun, thing_id))
    except NotFoundError:
        raise AssertionError(noun) from None
    assert message.data is not None
    return decode(message.data)


async def published_camera(bus: Bus, camera: dict[str, Any], revision: int) -> CameraV1:
    """The camera's message, once it has `revision`."""

    async def published() -> CameraV1:
        data = (await latest(bus, "camera", camera["id"])).data
        assert isinstance(data, CameraV1)
        assert data.revision == revision, data
        return data

    return await eventually(published)


async def test_a_camera_s_message_carries_all_a_worker_needs(province: Any, bus: Bus) -> None:
    destination = await province.destination(
        required_proof="verified", read_back_url_template="rtsp://10.9.0.1:8554/{camera_code}"
    )
    camera = await province.camera(url="rtsp://u:p@10.1.1.1/ch1", probe_interval_s=20)
    await province.put(f"/v1/destinations/{destination['id']}/secret", json={"username": "d", "password": "q"})
    message = await published_camera(bus, camera, 2)
    assert (message.code, message.url, message.probe_interval_s) == (camera["code"], "rtsp://10.1.1.1/ch1", 20)
    assert message.secret is not None
    (delivery,) = message.deliveries
    assert (str(delivery.id), delivery.url) == (camera["deliveries"][0]["id"], camera["deliveries"][0]["url"])
    assert (delivery.enabled, delivery.required_proof, delivery.secret is not None) == (True, "verified", True)


async def test_other_nouns_say_their_whole_state(province: Any, bus: Bus) -> None:
    agency, destination = await province.agency(), await province.destination()
    facility = await province.facility()
    person = {"full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng", "phone": "0233 3852 123"}
    made = await province.post("/v1/focal-points", person | {"facility_id": facility["id"], "valid_from": "2021-05-07"})
    said = await eventually(lambda: latest(bus, "focal_point", made["id"]))
    assert isinstance(said.data, FocalPointV1)
    assert said.data.full_name == person["full_name"]
    assert isinstance((await latest(bus, "agency", agency["id"])).data, AgencyV1)
    assert isinstance((await latest(bus, "destination", destination["id"])).data, DestinationV1)
    assert (await latest(bus, "facility", facility["id"])).subject == facility["id"]


@pytest.mark.parametrize("what", ["facility code", "destination", "delivery", "secret", "no secret", "disconnected"])
async def test_what_a_camera_is_made_of_publishes_it_anew(province: Any, bus: Bus, what: str) -> None:
    destination = await province.destination(url_template="rtsp://10.9.9.9/{facility_code}/{camera_code}")
    facility = await province.facility()
    camera = await province.camera(facility_id=facility["id"], url="rtsp://u:p@10.1.1.1/1")
    delivery = f"/v1/deliveries/{camera['deliveries'][0]['id']}"
    secret = f"/v1/cameras/{camera['id']}/secret"
    if what == "facility code":
        await province.change(f"/v1/facilities/{facility['id']}", json={"code": "NEW"})
        assert (await published_camera(bus, camera, 2)).deliveries[0].url == f"rtsp://10.9.9.9/NEW/{camera['code']}"
    elif what == "destination":
        await province.change(f"/v1/destinations/{destination['id']}", json={"enabled": False})
        assert not (await published_camera(bus, camera, 2)).deliveries[0].enabled
    elif what == "delivery":
        await province.change(delivery, json={"enabled": False})
        assert not (await published_camera(bus, camera, 2)).deliveries[0].enabled
    elif what == "disconnected":
        await province.remove(delivery)
        assert (await published_camera(bus, camera, 2)).deliveries == ()
    elif what == "secret":
        before = (await published_camera(bus, camera, 1)).secret
        await province.put(secret, json={"username": "u", "password": "p2"})
        assert (await published_camera(bus, camera, 2)).secret not in {None, before}
    else:
        await province.remove(secret)
        assert (await published_camera(bus, camera, 2)).secret is None


@pytest.mark.parametrize("status", ["suspended", "closed"])
async def test_a_closed_facility_takes_its_cameras_out_of_service_and_brings_them_back(
    province: Any, bus: Bus, status: str
) -> None:
    await province.destination()
    facility, other = await province.facility(), await province.facility()
    camera = await province.camera(facility_id=facility["id"])
    elsewhere = await province.camera(facility_id=other["id"])
    assert (await published_camera(bus, camera, 1)).in_service
    person = {"full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng", "phone": "0233 3852 123"}
    await province.post("/v1/focal-points", person | {"facility_id": facility["id"], "valid_from": "2021-05-07"})
    one = f"/v1/facilities/{facility['id']}"
    assert (await province.move(one, status)).status_code == 200
    closed = await published_camera(bus, camera, 2)
    # What the camera's own plan says stays as it is, so that reopening brings back what was.
    assert (closed.in_service, closed.enabled, closed.deliveries[0].enabled) == (False, True, True)
    assert (await province.move(one, "active")).status_code == 200
    assert (await published_camera(bus, camera, 3)).in_service
    assert (await published_camera(bus, elsewhere, 1)).in_service
    moved = {"facility_id": facility["id"]}
    await province.move(one, status)
    await province.change(f"/v1/cameras/{elsewhere['id']}", json=moved)
    assert not (await published_camera(bus, elsewhere, 2)).in_service


async def test_a_removed_camera_leaves_a_tombstone(province: Any, bus: Bus) -> None:
    await province.destination()
    camera = await province.camera()
    await province.remove(f"/v1/cameras/{camera['id']}")

    async def published() -> RemovedV1:
        data = (await latest(bus, "camera", camera["id"])).data
        assert isinstance(data, RemovedV1)
        return data

    tombstone = await eventually(published)
    assert (tombstone.noun, tombstone.revision) == ("camera", 2)


async def test_a_unit_s_message_names_the_units_that_it_follows(province: Any, bus: Bus) -> None:
    earlier = await province.unit(code="45", level="province", valid_to="2025-06-30")
    follows = [{"unit_id": earlier["id"], "kind": "merged"}]
    unit = await province.unit(code="44", level="province", valid_from="2025-07-01", succeeds=follows)
    message = (await eventually(lambda: latest(bus, "unit", unit["id"]))).data
    assert isinstance(message, UnitV1)
    assert [(str(one.unit_id), one.kind) for one in message.succeeds] == [(earlier["id"], "merged")]


async def test_a_refused_change_publishes_nothing(province: Any, bus: Bus) -> None:
    first, second = await province.agency(), await province.agency()
    await province.change(f"/v1/agencies/{second['id']}", json={"code": first["code"]})
    last = await province.agency()
    await eventually(lambda: latest(bus, "agency", last["id"]))
    unchanged = (await latest(bus, "agency", second["id"])).data
    assert isinstance(unchanged, AgencyV1)
    assert (unchanged.code, unchanged.revision) == (second["code"], 1)


async def test_the_message_is_the_outbox_row_and_its_id_the_event_s(province: Any, bus: Bus) -> None:
    agency = await province.agency()
    event = await eventually(lambda: latest(bus, "agency", agency["id"]))
    message = await bus.js.get_last_msg(topology.INVENTORY, subjects.inventory("agency", agency["id"]))
    assert message.headers is not None
    assert message.headers["Nats-Msg-Id"] == event.id
    assert message.headers["Content-Type"] == "application/cloudevents+json"


async def is_degraded(province: Any) -> Any:
    answer = await province.client.get("/readyz")
    return answer if answer.json()["status"] == "degraded" else None


async def test_changes_made_while_nats_is_down_are_published_in_order_later(
    province: Any, bus: Bus, nats_server: NatsServer
) -> None:
    await province.destination()
    camera = await province.camera()
    await published_camera(bus, camera, 1)
    nats_server.stop()
    try:
        for number in range(5):
            body = {"name": f"Hành lang {number}"}
            assert (await province.change(f"/v1/cameras/{camera['id']}", json=body)).status_code == 200
        await eventually(lambda: not bus.connected)
        ready = await eventually(lambda: is_degraded(province), what="the outage in /readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["degradations"]["nats"] == "NATS is not connected"
    finally:
        nats_server.start()
    await eventually(lambda: bus.connected)
    assert (await published_camera(bus, camera, 6)).name == "Hành lang 4"


async def test_publishing_goes_on_after_postgresql_was_restarted(
    province: Any, bus: Bus, postgres_server: PostgresServer
) -> None:
    await province.agency()
    postgres_server.stop()
    try:
        away = await province.client.post("/v1/agencies", json={"code": "A", "name": "n", "role": "lead"})
        assert (away.status_code, away.json()["code"]) == (503, "database_unavailable")
        assert (await province.client.get("/readyz")).json()["failures"].keys() >= {"database"}
    finally:
        postgres_server.start()
    agency = await province.agency()
    await eventually(lambda: latest(bus, "agency", agency["id"]))


async def test_everything_can_be_said_again_after_a_lost_stream(province: Any, bus: Bus, inventory_url: str) -> None:
    await province.destination()
    facility = await province.facility()
    await province.post(f"/v1/facilities/{facility['id']}/links", {"for_whom": "Trưởng khu"})
    camera = await province.camera(facility_id=facility["id"])
    await published_camera(bus, camera, 1)
    await bus.js.delete_stream(topology.INVENTORY)
    await topology.declare(bus.js)
    database = Database(inventory_url)
    assert await republish(database) == 6
    await database.close()
    assert (await published_camera(bus, camera, 1)).code == camera["code"]

    async def all_there() -> bool:
        return (await bus.js.stream_info(topology.INVENTORY)).state.messages == 6

    await eventually(all_there)


class Recorded:
    """Stands before the bus and keeps the order of what is published; the first publication of some may fail."""

    def __init__(self, bus: Bus, failing: frozenset[str] = frozenset()) -> None:
        self.js, self.connected, self.on_reconnect, self.connections = self, True, bus.on_reconnect, 1
        self.stream_info = bus.js.stream_info
        self._bus, self._failing, self.stored = bus, set(failing), list[bytes]()

    async def publish(self, subject: str, body: bytes, **options: Any) -> Any:
        if subject in self._failing:
            self._failing.discard(subject)
            raise TimeoutError
        answer = await self._bus.js.publish(subject, body, **options)
        self.stored.append(body)
        return answer


@asynccontextmanager
async def relaying(url: str, *buses: Any) -> AsyncIterator[Database]:
    """Relays on one outbox, as replicas would."""
    database = Database(url)
    relays = [Relay(outbox.Outbox(database), bus, Metrics(), poll_s=0.05) for bus in buses]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield database
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.close()


async def fill(database: Database, subject_and_body: list[tuple[str, bytes]]) -> None:
    messages = [outbox.OutboxMessage(str(uuid4()), subject, body) for subject, body in subject_and_body]
    async with database.transaction() as session:
        await outbox.append_messages(session, messages, now=datetime.now(UTC))


async def emptied(database: Database) -> bool:
    async with database.transaction() as session:
        return (await outbox.count_waiting(session, datetime.now(UTC)))[0] == 0


async def test_a_retry_never_overtakes_a_newer_state_of_the_same_thing(bus: Bus, inventory_url: str) -> None:
    recorded = Recorded(bus, failing=frozenset({A}))
    states = [(A, b"1"), (B, b"2"), (A, b"3")]
    async with relaying(inventory_url, recorded) as database:
        await fill(database, states)
        await eventually(lambda: emptied(database))
    assert recorded.stored.index(b"1") < recorded.stored.index(b"3")
    assert sorted(recorded.stored) == [b"1", b"2", b"3"]


async def test_two_replicas_publish_each_message_once_and_in_order(bus: Bus, inventory_url: str) -> None:
    first, second = Recorded(bus), Recorded(bus)
    second.stored = first.stored
    async with relaying(inventory_url, first, second) as database:
        for start in range(0, 200, 20):
            await fill(database, [(A, b"%03d" % number) for number in range(start, start + 20)])
        await eventually(lambda: emptied(database))
    assert first.stored == [b"%03d" % number for number in range(200)]


def test_a_window_ends_before_a_subject_that_came_before() -> None:
    rows = [outbox.WaitingRow(number, "", subject, b"", 0, None, None) for number, subject in enumerate("abcad")]
    assert [row.subject for row in window(rows)] == ["a", "b", "c"]


async def test_the_backlog_is_measured(inventory_url: str) -> None:
    database, metrics = Database(inventory_url), Metrics()
    await fill(database, [(A, b"1"), (B, b"2")])
    task = asyncio.create_task(outbox.measure(database, metrics, lambda: False, every_s=0.05))
    await eventually(lambda: metrics.registry.get_sample_value("vonggac_inventory_outbox_backlog") == 2)
    assert metrics.registry.get_sample_value("vonggac_inventory_bus_connected") == 0
    assert metrics.registry.get_sample_value("vonggac_inventory_things", {"noun": "camera"}) == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.close()


async def test_a_message_says_who_changed_the_thing_when_and_why(province: Any, bus: Bus) -> None:
    camera = await province.camera()
    await province.change(
        f"/v1/cameras/{camera['id']}", json={"enabled": False}, params={"reason": "sửa mái, theo biên bản 12"}
    )
    facility = camera["facility_id"]

    async def reason_of(noun: str, thing_id: str) -> Any:
        return getattr((await latest(bus, noun, thing_id)).data, "reason")  # noqa: B009 - of several kinds

    await eventually(lambda: reason_of("camera", camera["id"]))
    fact = (await latest(bus, "camera", camera["id"])).data
    assert isinstance(fact, CameraV1)
    assert (fact.changed_by, fact.reason) == ("test-province_lead", "sửa mái, theo biên bản 12")
    assert fact.created_at is not None
    assert fact.created_at < fact.changed_at
    await province.move(f"/v1/facilities/{facility}", "suspended", "dọn")
    assert await eventually(lambda: reason_of("facility", facility)) == "dọn"
    await province.remove(f"/v1/cameras/{camera['id']}", params={"reason": "hỏng"})

    async def removed() -> RemovedV1:
        gone = (await latest(bus, "camera", camera["id"])).data
        assert isinstance(gone, RemovedV1)
        return gone

    gone = await eventually(removed)
    assert (gone.removed_by, gone.reason) == ("test-province_lead", "hỏng")


async def test_a_message_carries_the_trace_of_the_request_that_caused_it_to_its_consumers_log(
    province: Any, bus: Bus
) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    agency = await province.agency()
    answer = await province.client.patch(
        f"/v1/agencies/{agency['id']}",
        json={"name": "Sở mới"},
        headers={**headers, "If-Match": await province.etag(f"/v1/agencies/{agency['id']}")},
    )
    assert answer.status_code == 200, answer.text

    async def handle(_batch: Sequence[Received]) -> None:
        """Nothing to commit."""

    consumer = EventConsumer(
        bus,
        stream=topology.INVENTORY,
        durable=topology.REPORTING_INVENTORY,
        handler=handle,
        transient=lambda _error: False,
    )
    published = await eventually(lambda: latest_revision(bus, agency, 2))
    assert published.traceparent is not None
    assert trace_id in published.traceparent
    with capture_logs() as logged:
        async with running_beside(consumer.run()):
            await eventually(lambda: [one for one in logged if one.get("trace_id") == trace_id])
    [line] = [one for one in logged if one["event"] == "traced_events_handled" and one["trace_id"] == trace_id]
    assert (line["durable"], line["count"]) == (topology.REPORTING_INVENTORY, 1)


async def latest_revision(bus: Bus, agency: dict[str, Any], revision: int) -> CloudEvent[Payload]:
    event = await latest(bus, "agency", agency["id"])
    assert isinstance(event.data, AgencyV1)
    assert event.data.revision == revision
    return event

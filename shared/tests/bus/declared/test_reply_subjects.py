"""Whatever the reply subject, no login has the server store, remove, make, read or deliver anything."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from shared.tests.bus.declared.hostile_logins import (
    JOBS,
    REPLIES,
    SERVICES,
    STORED_ON,
    VICTIM,
    changes,
    declare_without_ages,
    requests_of,
    send,
    settled,
    store_victims,
)

from vonggac.bus import Bus
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import permissions, topology
from vonggac.bus.declared.accounts import covers
from vonggac.bus.declared.permissions import User
from vonggac.embedded import NatsServer
from vonggac.events import subjects
from vonggac.testing.waiting import flush_all

pytestmark = pytest.mark.server


@pytest_asyncio.fixture
async def streams(server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """As the server itself sees them, with the topology declared and nothing that ages out."""
    client = await connect_once(server.url, name="streams")
    await declare_without_ages(client.jetstream())
    yield client.jetstream()
    await client.close()


@pytest.mark.parametrize("user", SERVICES, ids=lambda user: user.name)
async def test_reply_subject_stores_removes_and_reads_nothing(
    server: NatsServer, streams: JetStreamContext, user: User
) -> None:
    await store_victims(streams)
    client = await connect_once(server.url, name="hostile", user=user.name, password=server.password(user.name))
    try:
        requests = requests_of(user)
        # Once with a reply of its own: what this user's requests do by themselves is not what is asked here.
        await send(client, requests, [f"{user.inbox}.{uuid4().hex}"])
        before = await settled(streams)
        await send(client, requests, (*REPLIES, *(subject for subject, _ in requests)))
        after = await settled(streams)
    finally:
        await client.close()
    assert changes(before, after, requests) == []


async def test_reply_subject_matrix_finds_the_attack_where_it_works(
    server: NatsServer, streams: JetStreamContext
) -> None:
    """In the account of the streams the attack stores and deletes: there the matrix would not be empty."""
    await streams.publish(subjects.key_value(topology.CAMERA_STATUS, VICTIM), b"value")
    before = await settled(streams)
    client = await connect_once(server.url, name="inside")
    stored, missing = (f"$JS.API.DIRECT.GET.KV_camera_status.$KV.camera_status.{key}" for key in (VICTIM, "missing"))
    requests = [(stored, b""), (missing, b"")]
    await send(client, requests, ["inventory.destination.evil", "$JS.API.CONSUMER.DELETE.PROBE_JOBS.prober"])
    await client.close()
    after = await settled(streams)
    wrong = changes(before, after, requests)
    assert "PROBE_JOBS/prober is gone" in wrong
    assert any("inventory.destination.evil" in line for line in wrong)
    await declare_without_ages(streams)


async def test_reply_subject_delivers_nothing_to_who_may_not_hear_it(buses: dict[str, Bus]) -> None:
    """What a reader has the server answer on a subject of another service never comes there."""
    heard = await buses["prober"].client.subscribe(subjects.read_back_hint("*"))
    await flush_all(buses["prober"].client)
    body = json.dumps({"seq": 1, "next_by_subj": ">", "batch": 10}).encode()
    await buses["reporting"].client.publish(
        subjects.direct_get(topology.INVENTORY), body, reply=subjects.read_back_hint("evil")
    )
    await flush_all(buses["reporting"].client)
    await buses["forwarder"].client.publish(subjects.read_back_hint("true"), b"hint")
    assert (await heard.next_msg(2)).data == b"hint"
    with pytest.raises(NatsTimeoutError):
        await heard.next_msg(0.2)


@pytest.mark.parametrize("user", SERVICES, ids=lambda user: user.name)
async def test_reply_subject_of_a_service_reaches_no_other_one(
    server: NatsServer, streams: JetStreamContext, buses: dict[str, Bus], user: User
) -> None:
    """Neither where the others listen nor where they get their answers, but for what this login asks them itself."""
    await store_victims(streams)
    heard = {
        target: await buses[other.name].client.subscribe(target)
        for other in SERVICES
        for target in heard_by(other)
        if other != user and not any(covers(pattern, target) for pattern in user.publish)
    }
    for bus in buses.values():
        await flush_all(bus.client)
    client = await connect_once(server.url, name="hostile", user=user.name, password=server.password(user.name))
    try:
        await send(client, requests_of(user), heard)
        await settled(streams)
    finally:
        await client.close()
    for bus in buses.values():
        await flush_all(bus.client)
    assert {target: each.pending_msgs for target, each in heard.items() if each.pending_msgs} == {}


def heard_by(user: User) -> list[str]:
    """A subject for each pattern that this user may subscribe to."""
    return [pattern.replace("*", "evil").replace(">", "evil") for pattern in (*user.subscribe, f"{user.inbox}.>")]


# --- the owner of the streams ---------------------------------------------------------------------------------------


async def test_reply_subject_of_the_owner_stores_in_its_streams_alone(
    server: NatsServer, streams: JetStreamContext
) -> None:
    owner = permissions.OWNER
    client = await connect_once(server.url, name="owner", user=owner.name, password=server.password(owner.name))
    requests = requests_of(owner)
    try:
        await send(client, requests, [f"{owner.inbox}.{uuid4().hex}"])
        before = await settled(streams)
        await send(client, requests, REPLIES)
        after = await settled(streams)
    finally:
        await client.close()
    wrong = changes(before, after, requests)
    # Declared: it is where the streams are, so that the server's answers to it are stored wherever it names.
    assert [line for line in wrong if line.endswith((" is gone", " is new"))] == []
    # And what it makes of a camera that is stored.
    assert {line.split("'")[1] for line in wrong} <= {*STORED_ON, *(job("evil") for job in JOBS)}


async def test_reply_subject_of_the_owner_reaches_no_service(server: NatsServer, buses: dict[str, Bus]) -> None:
    owner = permissions.OWNER
    heard = {
        subject: await buses[user.name].client.subscribe(subject)
        for user in SERVICES
        for subject in (*user.subscribe, f"{user.inbox}.>")
        if not subject.startswith(("kv.", "stored."))
    }
    for bus in buses.values():
        await flush_all(bus.client)
    client = await connect_once(server.url, name="owner", user=owner.name, password=server.password(owner.name))
    targets = [subject.replace("*", "evil").replace(">", "evil") for subject in heard]
    await send(client, requests_of(owner), targets)
    for target in targets:
        await client.publish(target, b"from the owner")
    await flush_all(client)
    await client.close()
    for bus in buses.values():
        await flush_all(bus.client)
    assert {subject: each.pending_msgs for subject, each in heard.items() if each.pending_msgs} == {}

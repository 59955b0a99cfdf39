"""A service's login in hostile hands: every subject that it may publish to, with every reply subject of the matrix."""

import json
from collections.abc import Iterable
from dataclasses import replace

from nats.aio.client import Client
from nats.js import JetStreamContext

from vonggac.bus.declared import permissions, topology
from vonggac.bus.declared.permissions import USERS, User
from vonggac.events import subjects
from vonggac.testing.waiting import flush_all

SERVICES = tuple(user for user in USERS if user != permissions.OWNER)
VICTIM = "kept"
BUCKETS = tuple(str(bucket.name).removeprefix("KV_") for bucket in topology.buckets(1))
STORED_ON = (
    *(subjects.inventory(noun, "evil") for noun in ("camera", "destination", "facility", "focal_point")),
    subjects.camera_observation("evil"),
    subjects.delivery_observation("evil"),
    subjects.stream_observation("evil"),
    subjects.worker_heartbeat("prober", "evil"),
    subjects.replay(subjects.camera_observation("evil")),
    subjects.notice("outage", "evil"),
    subjects.demand("probe"),
    *(subjects.dead_letter(topology.OBSERVATIONS, permissions.outgoing_of(each.name)) for each in SERVICES),
    *(subjects.dead_letter(each.stream, each.name) for each in topology.CONSUMERS),
    *(subjects.key_value(bucket, "evil") for bucket in BUCKETS),
)
"""Reply subjects that a stream or a bucket keeps."""
JOBS = (subjects.probe_job, subjects.delivery_job, subjects.verify_job)
ASKED_OF_STREAMS = ("DELETE", "PURGE", "UPDATE", "MSG.DELETE", "LEADER.STEPDOWN", "SNAPSHOT", "RESTORE")
ASKED_OF_CONSUMERS = ("DELETE", "DURABLE.CREATE", "MSG.NEXT", "PAUSE", "RESET", "UNPIN", "LEADER.STEPDOWN")
REPLIES = (
    *STORED_ON,
    *(job("evil") for job in JOBS),
    "$JS.API.STREAM.CREATE.evil",
    *(f"$JS.API.STREAM.{act}.{stream}" for act in ASKED_OF_STREAMS for stream in topology.ALL_STREAMS),
    *(f"$JS.API.CONSUMER.CREATE.{stream}" for stream in topology.ALL_STREAMS),
    *(f"$JS.API.CONSUMER.CREATE.{stream}.evil" for stream in topology.ALL_STREAMS),
    *(f"$JS.API.CONSUMER.{act}.{each.stream}.{each.name}" for act in ASKED_OF_CONSUMERS for each in topology.CONSUMERS),
    *(f"$JS.ACK.{each.stream}.{each.name}.1.1.1.1.0" for each in topology.CONSUMERS),
    "$JS.API.META.LEADER.STEPDOWN",
    "$JS.API.ACCOUNT.PURGE.STREAMS",
    "$SYS.REQ.SERVER.PING",
)
"""Every subject on which an answer of the server would store, remove, make or hand out something."""
LASTS_S = 86_400.0

type Tally = dict[str, tuple[object, ...]]


async def declare_without_ages(streams: JetStreamContext) -> None:
    """Declare what is missing, and let nothing that is kept go by its age: a busy machine attacks for minutes."""
    if not await topology.missing(streams):
        return
    await topology.declare(streams)
    for name in topology.ALL_STREAMS:
        config = (await streams.stream_info(name)).config
        if config.max_age:
            await streams.update_stream(replace(config, max_age=max(config.max_age, LASTS_S)))


async def store_victims(streams: JetStreamContext) -> None:
    """Keep something in every bucket, and in every stream that a service writes to."""
    for bucket in BUCKETS:
        await streams.publish(subjects.key_value(bucket, VICTIM), b"value")
    for subject in (
        subjects.inventory("camera", VICTIM),
        subjects.inventory("focal_point", VICTIM),
        subjects.camera_observation(VICTIM),
        subjects.notice("outage", VICTIM),
    ):
        await streams.publish(subject, b"secret of the register")
    await streams.publish(subjects.demand("probe"), b"demand")


def requests_of(user: User) -> list[tuple[str, bytes]]:
    """Everything this user may publish to, with bodies that make the server answer with what is stored."""
    found: list[tuple[str, bytes]] = []
    for pattern in user.publish:
        subject = pattern.replace(">", VICTIM).replace("*", VICTIM)
        if pattern.startswith("$JS.API.DIRECT.GET.KV_") and pattern.endswith(".>"):
            # The second is answered without a body: what asks JetStream to delete has none either.
            found += [(subject, b""), (subject.removesuffix(VICTIM) + "missing", b"")]
        elif pattern.startswith("$JS.API.DIRECT.GET."):
            found += [
                (subject, json.dumps(body).encode())
                for body in (
                    {"multi_last": [">"], "batch": 100},
                    {"seq": 1, "next_by_subj": ">", "batch": 100},
                    {"last_by_subj": subjects.inventory("camera", VICTIM)},
                )
            ]
        elif pattern.startswith("$JS.API.STREAM.MSG.GET."):
            found.append((subject, json.dumps({"seq": 1, "next_by_subj": ">"}).encode()))
        elif pattern.startswith("$JS.API.CONSUMER.MSG.NEXT."):
            found.append((subject, b'{"batch": 10, "no_wait": true}'))
        elif pattern.startswith("$JS.ACK."):
            token = subject.removesuffix(VICTIM) + "1.1.1.1.0"
            found += [(token, body) for body in (b"+ACK", b"+NXT", b'+NXT {"batch": 10, "no_wait": true}', b"+WPI")]
        elif pattern.startswith("$JS.API.STREAM.MSG.DELETE."):
            found.append((subject, b'{"seq": 999999}'))
        elif pattern.startswith("$JS."):
            found.append((subject, b""))
        else:
            # As a state of the register would be: what comes back as an acknowledgement must not become one.
            found.append((subject, b"{}"))
    return found


async def send(client: Client, requests: list[tuple[str, bytes]], replies: Iterable[str]) -> None:
    """Publish each request with each reply subject, and wait until the server has taken them in."""
    for reply in replies:
        for subject, body in requests:
            await client.publish(subject, body, reply=reply)
        await flush_all(client)


async def settled(streams: JetStreamContext) -> Tally:
    """The tally once two in a row are the same."""
    before = await _tally(streams)
    while (after := await _tally(streams)) != before:
        before = after
    return after


async def _tally(streams: JetStreamContext) -> Tally:
    """How every stream and consumer stands. What the attacker writes into a stream that is his own is told apart."""
    stands: Tally = {}
    for name in topology.ALL_STREAMS:
        info = await streams.stream_info(name, subjects_filter=">")
        stands[name] = tuple(sorted((info.state.subjects or {}).items()))
        for consumer in await streams.consumers_info(name):
            stands[f"{name}/{consumer.name}"] = (consumer.config.deliver_subject, consumer.ack_floor)
    return stands


def changes(before: Tally, after: Tally, requests: list[tuple[str, bytes]]) -> list[str]:
    """What stands otherwise, but for messages on the very subjects that were published to."""
    own = {subject for subject, _ in requests}
    wrong = [f"{name} is gone" for name in before.keys() - after.keys()]
    wrong += [f"{name} is new" for name in after.keys() - before.keys()]
    for name in before.keys() & after.keys():
        if "/" in name:
            continue
        for entry in set(after[name]) ^ set(before[name]):
            assert isinstance(entry, tuple)
            if entry[0] not in own and not _is_job_of(str(entry[0])):
                wrong.append(f"{name}: {entry}")
    return sorted(wrong)


def _is_job_of(subject: str) -> bool:
    """A job that NATS makes, or gives to its worker, of a camera that the user published or fetched."""
    return subject.split(".")[1] == "job" and not subject.endswith("evil")

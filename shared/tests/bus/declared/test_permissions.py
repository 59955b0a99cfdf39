"""Who may do what at NATS, tried subject by subject against the server with the users of the platform."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError

from vonggac.bus.connection import connect_once
from vonggac.bus.declared import permissions, topology
from vonggac.bus.declared.accounts import configuration
from vonggac.bus.declared.permissions import USERS, inbox_of
from vonggac.embedded import NatsServer, free_port
from vonggac.testing.waiting import flush_all

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[4]
SETUP, INVENTORY, PROBER, FORWARDER, REPORTING = "setup", "inventory", "prober", "forwarder", "reporting"
CONSOLE = "console"
NAMES = (SETUP, INVENTORY, PROBER, FORWARDER, REPORTING, CONSOLE)
WORKERS = {PROBER, FORWARDER}
EVERYBODY = set(NAMES)
STREAMS = [str(stream.name) for stream in topology.streams(1)]
BUCKETS = [str(bucket.name).removeprefix("KV_") for bucket in topology.buckets(1)]

CONSUMERS = {
    (topology.PROBE_JOBS, "prober"): {PROBER},
    (topology.VERIFY_JOBS, "verifier"): {PROBER},
    (topology.DELIVERY_JOBS, "forwarder"): {FORWARDER},
    (topology.INVENTORY, "reporting_inventory"): {REPORTING},
    (topology.OBSERVATIONS, "reporting_observations"): {REPORTING},
}
WRITES = {
    "camera_status": {PROBER},
    "camera_failures": {PROBER},
    "thumbnails": {PROBER},
    "picture_references": {PROBER},
    "repetition_disputes": {PROBER},
    "site_status": {PROBER},
    "verifications": {PROBER},
    "scans": {PROBER},
    "delivery_status": {FORWARDER},
    "delivery_commands": {FORWARDER},
    "keyframes": {FORWARDER},
    "login_failures": WORKERS,
    "served_accounts": {FORWARDER},
    "leases": {INVENTORY},
    "positions": {INVENTORY},
    "streams_seen": {SETUP},
    "console_sessions": {CONSOLE},
    "console_screens": {CONSOLE},
}
OWN_KEYS = ("resealed_secrets", "workers")
"""Buckets of both workers, in which each writes the keys that begin with its name."""
READS = WRITES | {
    "streams_seen": set(),
    "resealed_secrets": WORKERS,
    "camera_status": {PROBER, INVENTORY},
    "delivery_status": WORKERS | {INVENTORY},
    "keyframes": {PROBER},
    "verifications": {PROBER, INVENTORY},
    "workers": WORKERS | {INVENTORY},
}
RECONCILED = {topology.PROBE_JOBS, topology.DELIVERY_JOBS, topology.VERIFY_JOBS}
FOLLOWS = {
    "camera_status": {PROBER},
    "picture_references": {PROBER},
    "repetition_disputes": {PROBER},
    "login_failures": WORKERS,
    "resealed_secrets": WORKERS,
    "delivery_status": {FORWARDER},
    "verifications": {REPORTING},
    "delivery_commands": {FORWARDER},
    "served_accounts": {FORWARDER},
    "workers": WORKERS,
}
NOT_READ_DIRECTLY = {
    "site_status",
    "delivery_commands",
    "served_accounts",
    "login_failures",
    "resealed_secrets",
    "workers",
    "scans",
    "leases",
    "positions",
    "streams_seen",
    "console_sessions",
    "console_screens",
}
REQUESTS = {
    # subject: (who asks, who is asked)
    "forwarder.camera.c.keyframe": ({PROBER}, {FORWARDER}),
    "forwarder.camera.c.hash_keyframes": ({PROBER}, {FORWARDER}),
    "forwarder.camera.c.picture_judged": ({PROBER}, {FORWARDER}),
    "forwarder.camera.c.read_back": ({PROBER}, {FORWARDER}),
    "forwarder.adopt.c": ({FORWARDER}, {FORWARDER}),
    "forwarder.camera.c.centre_request": ({FORWARDER}, {FORWARDER}),
    "forwarder.camera.c.deliveries": ({FORWARDER}, {FORWARDER}),
    "forwarder.camera.c.retry": ({FORWARDER}, {FORWARDER}),
    "forwarder.worker.w.handover": ({FORWARDER}, {FORWARDER}),
    "forwarder.worker.w.facts_lost": ({REPORTING}, {FORWARDER}),
    "forwarder.read_back_hint.c": ({FORWARDER}, {PROBER}),
    "prober.probe_lock.c": ({PROBER}, {PROBER}),
}

NEEDS = {
    INVENTORY: {
        *topology.BOUNDED,
        *("INVENTORY", "PROBE_JOBS", "DELIVERY_JOBS", "VERIFY_JOBS", "KV_readiness"),
        *(f"KV_{bucket}" for bucket, readers in READS.items() if INVENTORY in readers),
    },
    PROBER: {
        *("INVENTORY", "PROBE_JOBS", "VERIFY_JOBS", "OBSERVATIONS", "DEMANDS", "DEAD_LETTERS", "KV_readiness"),
        *(f"KV_{bucket}" for bucket, readers in READS.items() if PROBER in readers),
    },
    FORWARDER: {
        *("INVENTORY", "DELIVERY_JOBS", "OBSERVATIONS", "DEAD_LETTERS", "KV_readiness", "KV_keyframes"),
        *(f"KV_{bucket}" for bucket, readers in READS.items() if FORWARDER in readers),
    },
    REPORTING: {"INVENTORY", "OBSERVATIONS", "NOTICES", "DEAD_LETTERS", "KV_readiness", "KV_verifications"},
    CONSOLE: {"OBSERVATIONS", "KV_readiness", "KV_console_sessions", "KV_console_screens"},
}
"""The streams that each needs, and may therefore ask about."""

MADE_BY_THE_OWNER = (
    "$JS.API.STREAM.CREATE.EVIL",
    "$JS.API.STREAM.RESTORE.EVIL",
    "$JS.SNAPSHOT.RESTORE.EVIL.1",
    "$JS.SNAPSHOT.ACK.INVENTORY.1",
)


REGISTER = {
    "camera": {PROBER, INVENTORY},
    "destination": {INVENTORY},
    "facility": WORKERS | {INVENTORY},
    "unit": WORKERS | {INVENTORY},
    "focal_point": {INVENTORY},
}
"""Nouns of the register, and who reads one by its subject; of people there are phones."""
DEMANDS = {
    **{f"demand.{kind}": {PROBER} for kind in ("probe", "scan", "read_back")},
    "$JS.API.DIRECT.GET.DEMANDS": {PROBER},
}


def may_publish() -> dict[str, set[str]]:
    """Every family of subjects with those who may publish to it."""
    table: dict[str, set[str]] = {
        **{f"inventory.{noun}.x": {INVENTORY} for noun in ("camera", "facility", "destination", "focal_point")},
        **{f"observation.{noun}": {PROBER} for noun in ("camera.c", "verification.c.d", "site.f")},
        "observation.camera_media.c": {FORWARDER},
        "observation.delivery.d": {FORWARDER},
        "stored.observation.delivery.d": set(),
        **{f"observation.worker.{name}.w": {name} for name in WORKERS},
        "observation.worker.w": set(),
        "replay.observation.camera.c": {INVENTORY},
        **{f"notice.{noun}.x": {REPORTING} for noun in ("outage", "site", "obligation", "report")},
        **DEMANDS,
        **{f"dead.OBSERVATIONS.outgoing_{each}.letter": {each} for each in (PROBER, FORWARDER, REPORTING)},
        **{f"{job}.job.c": set() for job in ("probe", "delivery", "verify")},
        "$JS.API.INFO": EVERYBODY,
        "$JS.API.STREAM.NAMES": {SETUP},
        "$JS.API.STREAM.LIST": set(),
        "$JS.API.SERVER.REMOVE": set(),
        **{subject: {SETUP} for subject in (*MADE_BY_THE_OWNER, "observation.stream.S")},
        **{f"$JS.API.DIRECT.GET.INVENTORY.inventory.{noun}.x": allowed for noun, allowed in REGISTER.items()},
        "$JS.API.DIRECT.GET.INVENTORY": {REPORTING},
        "$JS.API.DIRECT.GET.OBSERVATIONS": {REPORTING},
        "$JS.API.DIRECT.GET.OBSERVATIONS.observation.camera.c": set(),
        "$SYS.REQ.SERVER.PING": set(),
        "_INBOX.anybody.1": set(),
        **{f"_INBOX_{name}.1": set() for name in NAMES},
        **{f"$KV.readiness.{name}.room": {name} - {SETUP} for name in NAMES},
        **{f"$KV.{bucket}.{name}.k": {name} & WORKERS for bucket in OWN_KEYS for name in NAMES},
        **{subject: asks for subject, (asks, _) in REQUESTS.items()},
    }
    for stream in [*STREAMS, *(f"KV_{bucket}" for bucket in BUCKETS)]:
        table[f"$JS.API.STREAM.INFO.{stream}"] = {SETUP} | {name for name, needed in NEEDS.items() if stream in needed}
        table[f"$JS.API.STREAM.UPDATE.{stream}"] = {SETUP}
        table[f"$JS.API.STREAM.SNAPSHOT.{stream}"] = {SETUP}
        for refused in ("STREAM.DELETE", "STREAM.PURGE", "STREAM.MSG.DELETE", "CONSUMER.LIST"):
            table[f"$JS.API.{refused}.{stream}"] = set()
        table[f"$JS.API.CONSUMER.DELETE.{stream}.x"] = set()
        table[f"$JS.API.CONSUMER.MSG.NEXT.{stream}.x"] = set()
        for creating in ("CREATE.{}", "CREATE.{}.x", "CREATE.{}.x.>", "DURABLE.CREATE.{}.x"):
            table["$JS.API.CONSUMER." + creating.format(stream)] = {SETUP}
    for stream in STREAMS:
        table[f"$JS.API.STREAM.MSG.GET.{stream}"] = set()
    for right in ("GET", "DELETE"):
        table[f"$JS.API.STREAM.MSG.{right}.{topology.DEAD_LETTERS}"] = {INVENTORY}
    for (stream, durable), workers in CONSUMERS.items():
        table[f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"] = workers
        reconciled = {INVENTORY} if stream in RECONCILED else set()
        table[f"$JS.API.CONSUMER.INFO.{stream}.{durable}"] = workers | {SETUP} | reconciled
        table[f"$JS.ACK.{stream}.{durable}.1.2.3.4.5"] = workers
        table[f"dead.{stream}.{durable}.letter"] = workers
    for bucket in BUCKETS:
        table[f"$KV.{bucket}.k"] = WRITES.get(bucket, set())
        table[f"kv.{bucket}.k"] = set()
        table[f"$JS.API.DIRECT.GET.KV_{bucket}"] = READS.get(bucket, set())
        table[f"$JS.API.DIRECT.GET.KV_{bucket}.$KV.{bucket}.k"] = READS.get(bucket, set())
        table[f"$JS.API.STREAM.MSG.GET.KV_{bucket}"] = (
            {SETUP} if bucket == "streams_seen" else READS.get(bucket, set()) if bucket in NOT_READ_DIRECTLY else set()
        )
    return table


def may_subscribe() -> dict[str, set[str]]:
    """Every family of subjects with those who may listen to it."""
    table: dict[str, set[str]] = {
        ">": set(),
        "*.>": set(),
        "inventory.>": set(),
        "inventory.camera.*": set(),
        "observation.>": set(),
        "observation.camera.*": set(),
        "observation.worker.*.*": set(),
        "observation.delivery.*": set(),
        "observation.verification.c.*": set(),
        "stored.>": set(),
        "stored.observation.camera.*": set(),
        "stored.observation.worker.*.*": set(),
        "stored.observation.delivery.*": {PROBER},
        "stored.observation.camera_media.*": {PROBER},
        "stored.observation.verification.c.*": {FORWARDER},
        "notice.>": set(),
        "demand.>": set(),
        "probe.job.*": set(),
        "delivery.job.*": set(),
        "verify.job.*": set(),
        "dead.>": set(),
        "$JS.>": set(),
        "$JS.API.>": set(),
        "$JS.ACK.>": set(),
        "$JS.EVENT.ADVISORY.>": set(),
        "$SYS.>": set(),
        "_INBOX.>": set(),
        **{f"_INBOX_{name}.>": {name} for name in NAMES},
        **{subject: asked for subject, (_, asked) in REQUESTS.items()},
    }
    for bucket in BUCKETS:
        table[f"$KV.{bucket}.>"] = set()
        table[f"kv.{bucket}.>"] = FOLLOWS.get(bucket, set())
    return table


@pytest.fixture(scope="module")
def platform_nats(servers_folder: Path) -> Iterator[NatsServer]:
    """A server as on a platform: nobody comes in without a login."""
    server = NatsServer(servers_folder / "nats-with-users", free_port(), anonymous=False)
    server.start()
    yield server
    server.stop()


class LoggedIn:
    """A client of one user, and what the server refused it."""

    def __init__(self, client: Client, refusals: list[str]) -> None:
        self.client, self.refusals = client, refusals

    async def refused(self, what: str, subjects: Iterable[str]) -> set[str]:
        """Those of `subjects` that the server has refused by now: a refusal comes before the answer to the flush."""
        await flush_all(self.client)
        said = [refusal.lower() for refusal in self.refusals]
        return {
            subject
            for subject in subjects
            if any(f'violation for {what} to "{subject}"'.lower() in refusal for refusal in said)
        }


def differences(table: dict[str, set[str]], name: str, refused: set[str]) -> list[str]:
    """Where the server refused this user what the table allows, or the other way round."""
    return [
        f"{name} {'may not' if name in allowed else 'may'} use {subject}"
        for subject, allowed in table.items()
        if (subject in refused) == (name in allowed)
    ]


@pytest_asyncio.fixture
async def users(platform_nats: NatsServer) -> AsyncIterator[dict[str, LoggedIn]]:
    logged_in = {}
    for name in NAMES:
        refusals: list[str] = []

        async def refused(error: Exception, refusals: list[str] = refusals) -> None:
            refusals.append(str(error))

        client = await nats.connect(
            platform_nats.url,
            user=name,
            password=platform_nats.password(name),
            inbox_prefix=inbox_of(name),
            error_cb=refused,
        )
        logged_in[name] = LoggedIn(client, refusals)
    await topology.declare(logged_in[SETUP].client.jetstream())
    yield logged_in
    for one in logged_in.values():
        await one.client.close()


async def test_subject_matrix_of_publishing(users: dict[str, LoggedIn]) -> None:
    table = may_publish()
    wrong = []
    for name, user in users.items():
        for subject in table:
            await user.client.publish(subject, b"{}")
        wrong += differences(table, name, await user.refused("publish", table))
    assert wrong == []


async def test_subject_matrix_of_subscribing(users: dict[str, LoggedIn]) -> None:
    table = may_subscribe()
    wrong = []
    for name, user in users.items():
        for subject in table:
            await user.client.subscribe(subject)
        wrong += differences(table, name, await user.refused("subscription", table))
    assert wrong == []


def test_the_subject_matrix_names_every_subject_that_a_user_is_allowed() -> None:
    named_by_publish, named_by_subscribe = may_publish(), may_subscribe()
    missing = [
        (user.name, pattern)
        for user in USERS
        for patterns, named in ((user.publish, named_by_publish), (user.subscribe, named_by_subscribe))
        for pattern in patterns
        if not any(user.name in allowed and _fits(subject, pattern) for subject, allowed in named.items())
    ]
    assert missing == []


async def test_the_owner_alone_declares_the_streams_again(users: dict[str, LoggedIn]) -> None:
    assert await topology.declare(users[SETUP].client.jetstream()) == []
    own = permissions.REPORTING
    assert await topology.missing(users[REPORTING].client.jetstream(timeout=1), own.streams, own.consumers) == []


async def test_nobody_reads_a_stream_by_a_consumer_of_his_own(users: dict[str, LoggedIn]) -> None:
    await users[INVENTORY].client.jetstream().publish("inventory.camera.c", b"{}")
    for name in (INVENTORY, PROBER, FORWARDER, REPORTING):
        config = {
            "stream_name": "INVENTORY",
            "config": {"deliver_subject": f"_INBOX_{name}.mine", "ack_policy": "none"},
        }
        with pytest.raises(NatsTimeoutError):
            await users[name].client.request("$JS.API.CONSUMER.CREATE.INVENTORY", json.dumps(config).encode(), 0.2)


async def test_who_was_asked_answers_once_and_only_the_one_that_asked(users: dict[str, LoggedIn]) -> None:
    forwarder, prober = users[FORWARDER], users[PROBER]
    asked = await forwarder.client.subscribe("forwarder.camera.*.keyframe")
    await flush_all(forwarder.client)
    asking = asyncio.ensure_future(prober.client.request("forwarder.camera.c.keyframe", b"", 2))
    question = await asked.next_msg(2)
    await question.respond(b"picture")
    assert (await asking).data == b"picture"
    await question.respond(b"again")
    assert await forwarder.refused("publish", [question.reply]) == {question.reply}


@pytest.mark.parametrize("login", [{}, {"user": "prober", "password": "wrong"}, {"user": "simulator", "password": ""}])
async def test_nobody_comes_in_without_a_login(platform_nats: NatsServer, login: dict[str, str]) -> None:
    with pytest.raises(NatsError, match="Authorization Violation"):
        await connect_once(platform_nats.url, name="stranger", user=login.get("user"), password=login.get("password"))


def test_one_file_is_used_by_all(platform_nats: NatsServer) -> None:
    committed = (ROOT / "deploy/k8s/vonggac/files/nats/nats.conf").read_text("utf-8")
    assert committed == configuration(), "stale: run `make generate`"
    assert (platform_nats.folder / "nats.conf").read_text("utf-8") == committed
    assert 'sync_interval: "10s"' in committed


def test_simulator_and_demo_have_no_user() -> None:
    assert {user.name for user in USERS} == EVERYBODY


def _fits(subject: str, pattern: str) -> bool:
    tokens, wanted = subject.split("."), pattern.split(".")
    if wanted[-1] == ">":
        return len(tokens) >= len(wanted) and all(
            want in ("*", token) for token, want in zip(tokens, wanted[:-1], strict=False)
        )
    return len(tokens) == len(wanted) and all(
        want in ("*", token) or token == "*" for token, want in zip(tokens, wanted, strict=True)
    )

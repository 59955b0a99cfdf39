"""Who may do what at NATS: a user per service, and the server's configuration that says so.

`deploy/nats/nats.conf` is `configuration()`, byte for byte; the embedded server, compose and the chart all use it. What
differs from place to place is included by it: `place.conf` (addresses and the store) and `secrets/passwords.conf`.

Two rules hold for every user but the owner of the streams. What a stream holds is read through a durable consumer that
the owner made before, since permissions to subscribe do not bind a consumer (nats-server#4225). And nobody makes a
consumer: its `deliver_subject` would let the server publish whatever its maker is not allowed to. Buckets are therefore
read by direct gets, and followed on the subjects that the server republishes them on (`vonggac.bus.keyvalue`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vonggac.bus.declared import topology
from vonggac.events import subjects

SYNC_INTERVAL_S = 10
"""JetStream acknowledges before it has synced to the disk: a power cut forgets at most so much."""
ANSWER_WITHIN_S = 60
"""Whoever was asked may publish one answer on the asker's own subject for so long: a keyframe takes its time."""
PASSWORDS_FILE = "secrets/passwords.conf"
PLACE_FILE = "place.conf"


@dataclass(frozen=True, slots=True)
class User:
    """What one user may publish and subscribe to; patterns as of NATS subjects. All else is refused by the server."""

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...] = ()
    answers: bool = False
    """Whether it may publish one answer to what it was asked, whatever the asker's subject is."""

    @property
    def inbox(self) -> str:
        """Prefix of the subjects on which it gets answers; nobody else may listen there."""
        return inbox_of(self.name)

    @property
    def password_variable(self) -> str:
        """Name of its password in `secrets/passwords.conf`."""
        return f"{self.name.upper()}_PASSWORD"


def inbox_of(user: str) -> str:
    """The inbox prefix of a user; every client that logs in as that user sets it."""
    return f"_INBOX_{user}"


_ANY = "*"
_ASKS = ("$JS.API.INFO", "$JS.API.STREAM.INFO.*")
"""Whether JetStream works, and whether a stream stands: names and numbers, no content."""


def _works(stream: str, durable: str) -> tuple[str, ...]:
    """Fetch from a durable consumer, answer for what came, and dead-letter what no retry saves."""
    return (
        f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
        subjects.next_messages(stream, durable),
        f"$JS.ACK.{stream}.{durable}.>",
        subjects.dead_letter(stream, durable),
    )


_OUTGOING = f"dead.{topology.OBSERVATIONS}.outgoing"
"""Facts that NATS refuses."""


def _reads(*buckets: str) -> tuple[str, ...]:
    allowed: list[str] = []
    for bucket in buckets:
        allowed += [f"$JS.API.DIRECT.GET.KV_{bucket}", f"$JS.API.DIRECT.GET.KV_{bucket}.$KV.{bucket}.>"]
        if bucket not in topology.READ_DIRECTLY:
            allowed.append(f"$JS.API.STREAM.MSG.GET.KV_{bucket}")
    return tuple(allowed)


def _writes(*buckets: str) -> tuple[str, ...]:
    return tuple(subjects.key_value(bucket, ">") for bucket in buckets)


def _follows(*buckets: str) -> tuple[str, ...]:
    return tuple(subjects.republished(bucket, ">") for bucket in buckets)


def _ready(user: str) -> str:
    return subjects.key_value(topology.READINESS, user)


OWNER = User(
    "setup",
    publish=(
        *_ASKS,
        "$JS.API.STREAM.CREATE.*",
        "$JS.API.STREAM.UPDATE.*",
        "$JS.API.CONSUMER.INFO.*.*",
        "$JS.API.CONSUMER.CREATE.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
        subjects.STREAM_NAMES,
        subjects.stream_snapshot("*"),
        "$JS.SNAPSHOT.ACK.>",
        subjects.stream_restore("*"),
        "$JS.SNAPSHOT.RESTORE.>",
    ),
)
"""Declares streams, consumers and buckets (`vonggac.bus.declared.topology`), copies them and brings copies back."""

_DEAD_LETTERS = (
    f"$JS.API.STREAM.MSG.GET.{topology.DEAD_LETTERS}",
    f"$JS.API.STREAM.MSG.DELETE.{topology.DEAD_LETTERS}",
    f"$JS.API.DIRECT.GET.{topology.INVENTORY}.{subjects.inventory(_ANY, _ANY)}",
    subjects.OBSERVATIONS,
)
"""Lists dead letters, and replays them: an observation as it was, a job or a state as it is now."""

INVENTORY = User(
    "inventory",
    publish=(
        *_ASKS,
        _ready("inventory"),
        subjects.inventory(_ANY, _ANY),
        *(
            f"$JS.API.CONSUMER.INFO.{stream}.{durable}"
            for stream, durable in (
                (topology.PROBE_JOBS, topology.PROBER),
                (topology.DELIVERY_JOBS, topology.FORWARDER),
                (topology.VERIFY_JOBS, topology.VERIFIER),
            )
        ),
        *_writes(topology.LEASES, topology.POSITIONS),
        *_reads(
            topology.CAMERA_STATUS,
            topology.DELIVERY_STATUS,
            topology.LEASES,
            topology.POSITIONS,
            topology.VERIFICATIONS,
            topology.WORKERS,
        ),
        *_DEAD_LETTERS,
    ),
)

_PLACES = tuple(
    f"$JS.API.DIRECT.GET.{topology.INVENTORY}.{subjects.inventory(noun, _ANY)}" for noun in ("facility", "unit")
)
"""Where facilities lie: what a caller with a scope may see of their cameras."""

PROBER = User(
    "prober",
    publish=(
        *_ASKS,
        _ready("prober"),
        *_works(topology.PROBE_JOBS, topology.PROBER),
        *_works(topology.VERIFY_JOBS, topology.VERIFIER),
        _OUTGOING,
        f"$JS.API.DIRECT.GET.{topology.INVENTORY}.{subjects.inventory('camera', _ANY)}",
        *_PLACES,
        subjects.camera_observation(_ANY),
        subjects.delivery_verification(_ANY, _ANY),
        subjects.site_observation(_ANY),
        subjects.worker_heartbeat(_ANY),
        subjects.demand(_ANY),
        # The log of what people had it do.
        subjects.direct_get(topology.DEMANDS),
        subjects.probe_lock(_ANY),
        subjects.camera_keyframe(_ANY),
        subjects.camera_hash_keyframes(_ANY),
        subjects.camera_picture_judged(_ANY),
        *_writes(
            topology.CAMERA_STATUS,
            topology.CAMERA_FAILURES,
            topology.LOGIN_FAILURES,
            topology.THUMBNAILS,
            topology.PICTURE_REFERENCES,
            topology.RESEALED_SECRETS,
            topology.SCANS,
            topology.SITE_STATUS,
            topology.VERIFICATIONS,
            topology.WORKERS,
        ),
        *_reads(
            topology.CAMERA_STATUS,
            topology.CAMERA_FAILURES,
            topology.DELIVERY_STATUS,
            topology.KEYFRAMES,
            topology.LOGIN_FAILURES,
            topology.THUMBNAILS,
            topology.PICTURE_REFERENCES,
            topology.RESEALED_SECRETS,
            topology.SCANS,
            topology.SITE_STATUS,
            topology.VERIFICATIONS,
            topology.WORKERS,
        ),
    ),
    subscribe=(
        subjects.camera_media_observation(_ANY),
        subjects.delivery_observation(_ANY),
        subjects.read_back_hint(_ANY),
        subjects.probe_lock(_ANY),
        *_follows(
            topology.CAMERA_STATUS,
            topology.LOGIN_FAILURES,
            topology.PICTURE_REFERENCES,
            topology.RESEALED_SECRETS,
            topology.WORKERS,
        ),
    ),
    answers=True,
)

_OF_FORWARDERS = (
    subjects.camera_adopt(_ANY),
    subjects.camera_deliveries(_ANY),
    subjects.camera_retry(_ANY),
    subjects.worker_handover(_ANY),
)
"""What forwarders ask each other."""

FORWARDER = User(
    "forwarder",
    publish=(
        *_ASKS,
        _ready("forwarder"),
        *_works(topology.DELIVERY_JOBS, topology.FORWARDER),
        *_PLACES,
        _OUTGOING,
        subjects.camera_media_observation(_ANY),
        subjects.delivery_observation(_ANY),
        subjects.worker_heartbeat(_ANY),
        subjects.read_back_hint(_ANY),
        *_OF_FORWARDERS,
        *_writes(
            topology.DELIVERY_COMMANDS,
            topology.DELIVERY_STATUS,
            topology.KEYFRAMES,
            topology.LOGIN_FAILURES,
            topology.RESEALED_SECRETS,
            topology.WORKERS,
        ),
        *_reads(
            topology.DELIVERY_COMMANDS,
            topology.DELIVERY_STATUS,
            topology.LOGIN_FAILURES,
            topology.RESEALED_SECRETS,
            topology.WORKERS,
        ),
    ),
    subscribe=(
        subjects.camera_adopt(_ANY),
        subjects.camera_requests(_ANY),
        subjects.worker_handover(_ANY),
        subjects.worker_facts_lost(_ANY),
        subjects.delivery_verification(_ANY, _ANY),
        *_follows(
            topology.DELIVERY_COMMANDS,
            topology.DELIVERY_STATUS,
            topology.LOGIN_FAILURES,
            topology.RESEALED_SECRETS,
            topology.WORKERS,
        ),
    ),
    answers=True,
)

REPORTING = User(
    "reporting",
    publish=(
        *_ASKS,
        _ready("reporting"),
        *_works(topology.INVENTORY, topology.REPORTING_INVENTORY),
        *_works(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS),
        subjects.notice(_ANY, _ANY),
        subjects.worker_facts_lost(_ANY),
        # What its tables lost when they were restored from an older copy.
        subjects.direct_get(topology.INVENTORY),
        subjects.direct_get(topology.OBSERVATIONS),
    ),
)

USERS = (OWNER, INVENTORY, PROBER, FORWARDER, REPORTING)
"""The simulator and the demo have none: they never speak to NATS."""

TESTER = User("tester", publish=(">",), subscribe=(">",), answers=True)
"""Never on a platform: tests and measurements on a throw-away server are whoever they have to be."""


def configuration(users: Iterable[User] = USERS) -> str:
    """The server's configuration file."""
    lines = [
        "# Generated from vonggac.bus.declared.permissions: edit that, then run `make generate`.",
        "# Used as it is by `make run`, the tests, compose and the chart. Beside it lie",
        f"#   {PLACE_FILE}  addresses, STORE_FOLDER and STORE_BYTES: where the streams lie and what they may take",
        f"#   {PASSWORDS_FILE}  a password of each user, readable by the server alone",
        f'include "{PLACE_FILE}"',
        f'include "{PASSWORDS_FILE}"',
        "",
        "jetstream {",
        "  store_dir: $STORE_FOLDER",
        "  max_file_store: $STORE_BYTES",
        f'  sync_interval: "{SYNC_INTERVAL_S}s"',
        "}",
        "max_payload: 1MB",
        "",
        "authorization {",
        "  users: [",
    ]
    for user in users:
        lines += _user(user)
    return "\n".join([*lines, "  ]", "}", ""])


def passwords(values: Mapping[str, str]) -> str:
    """`secrets/passwords.conf`: `values` are passwords by user, any characters."""
    users = {user.name: user for user in (*USERS, TESTER)}
    return "".join(f"{users[name].password_variable}: {quoted(value)}\n" for name, value in values.items())


def quoted(text: str) -> str:
    """As the server's configuration reads it back."""
    return json.dumps(text, ensure_ascii=False)


def _user(user: User) -> list[str]:
    lines = ["    {", f"      user: {user.name}", f"      password: ${user.password_variable}", "      permissions: {"]
    lines += _allowed("publish", sorted(user.publish))
    lines += _allowed("subscribe", [f"{user.inbox}.>", *sorted(user.subscribe)])
    if user.answers:
        lines.append(f'        allow_responses: {{ max: 1, expires: "{ANSWER_WITHIN_S}s" }}')
    return [*lines, "      }", "    }"]


def _allowed(what: str, patterns: list[str]) -> list[str]:
    return [
        f"        {what}: {{",
        "          allow: [",
        *(f'            "{each}"' for each in patterns),
        "          ]",
        "        }",
    ]

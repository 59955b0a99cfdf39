"""Who may do what at NATS: a user per service, in an account of its own (`vonggac.bus.declared.accounts`).

Three rules hold for every user but the owner of the streams. What a stream holds is read through a durable consumer
that the owner made before, since permissions to subscribe do not bind a consumer (nats-server#4225). Nobody makes a
consumer: its `deliver_subject` would let the server publish whatever its maker is not allowed to. And nobody is in the
account of the streams, since a permission to publish does not bind the reply subject (nats-server#8274). Buckets are
therefore read by direct gets, and followed on the subjects that the server republishes them on
(`vonggac.bus.keyvalue`); so are facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vonggac.bus.declared import topology
from vonggac.events import subjects

ANSWER_WITHIN_S = 60
"""Whoever was asked may publish one answer on the asker's own subject for so long: a keyframe takes its time."""


@dataclass(frozen=True, slots=True)
class User:
    """What one user may publish and subscribe to; patterns as of NATS subjects. All else is refused by the server."""

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...] = ()
    answers: bool = False
    """Whether it may publish one answer to what it was asked, whatever the asker's subject is."""
    among_streams: bool = False
    """Whether it is in the account of the streams, and not in one of its own."""

    @property
    def inbox(self) -> str:
        """Prefix of the subjects on which it gets answers; nobody else may listen there."""
        return inbox_of(self.name)

    @property
    def password_variable(self) -> str:
        """Name of its password in `secrets/passwords.conf`."""
        return password_variable(self.name)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams and buckets that it cannot do its work without."""
        return tuple(sorted(pattern.rpartition(".")[2] for pattern in self.publish if pattern.startswith(_INFO)))

    @property
    def consumers(self) -> tuple[topology.Consumer, ...]:
        """The consumers that it fetches from."""
        return tuple(
            each for each in topology.CONSUMERS if subjects.next_messages(each.stream, each.name) in self.publish
        )


def password_variable(user: str) -> str:
    """Name of a user's password in `secrets/passwords.conf`."""
    return f"{user.upper()}_PASSWORD"


def outgoing_of(service: str) -> str:
    """In the place of the consumer in the subject of a dead letter: nobody consumed it, NATS refused that service's."""
    return f"outgoing_{service}"


def inbox_of(user: str) -> str:
    """Name the inbox prefix of a user; every client that logs in as that user sets it."""
    return f"_INBOX_{user}"


_ANY = "*"
_INFO = subjects.stream_info("")
_ASKS = ("$JS.API.INFO",)
"""Whether JetStream works, and what it takes of the disk."""


def _stands(*streams: str) -> tuple[str, ...]:
    """Whether a stream stands, and since when: names and numbers, no content."""
    return tuple(subjects.stream_info(stream) for stream in streams)


def _works(stream: str, durable: str) -> tuple[str, ...]:
    """Fetch from a durable consumer, answer for what came, and dead-letter what no retry saves."""
    return (
        f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
        subjects.next_messages(stream, durable),
        f"$JS.ACK.{stream}.{durable}.>",
        subjects.dead_letters(stream, durable),
    )


def _keeps_refused(service: str) -> tuple[str, ...]:
    """Keep what NATS refuses of its own: on a subject that says whose it is."""
    return (subjects.dead_letters(topology.OBSERVATIONS, outgoing_of(service)),)


def _reads(*buckets: str) -> tuple[str, ...]:
    allowed: list[str] = []
    for bucket in buckets:
        allowed += [f"$JS.API.DIRECT.GET.KV_{bucket}", f"$JS.API.DIRECT.GET.KV_{bucket}.$KV.{bucket}.>"]
        if bucket not in topology.READ_DIRECTLY:
            allowed.append(f"$JS.API.STREAM.MSG.GET.KV_{bucket}")
    return tuple(allowed)


def _writes(*buckets: str) -> tuple[str, ...]:
    return tuple(subjects.key_value(bucket, ">") for bucket in buckets)


def _writes_own(bucket: str, service: str) -> tuple[str, ...]:
    """Permit keys of a bucket of more than one service: each writes those that begin with its name."""
    return (subjects.key_value(bucket, f"{service}.>"),)


def _follows(*buckets: str) -> tuple[str, ...]:
    return tuple(subjects.republished(bucket, ">") for bucket in buckets)


_STREAM_OF_SUBJECTS = {
    "inventory": topology.INVENTORY,
    **dict.fromkeys(("observation", "replay", "stored"), topology.OBSERVATIONS),
    "notice": topology.NOTICES,
    "demand": topology.DEMANDS,
    "dead": topology.DEAD_LETTERS,
}
_JETSTREAM = ("$JS.API.CONSUMER.INFO.", "$JS.API.CONSUMER.MSG.NEXT.", "$JS.API.DIRECT.GET.", "$JS.API.STREAM.MSG.GET.")


def _streams_behind(patterns: Iterable[str]) -> set[str]:
    """Find the streams and buckets that one needs who uses these subjects."""
    found = set()
    for pattern in patterns:
        tokens = pattern.split(".")
        if tokens[0] in ("$KV", "kv"):
            found.add(topology.key_value_stream(tokens[1]))
        elif (stream := _STREAM_OF_SUBJECTS.get(tokens[0])) is not None:
            found.add(stream)
        elif api := next((api for api in _JETSTREAM if pattern.startswith(api)), None):
            found.add(pattern.removeprefix(api).split(".")[0])
    return found


def room_of(user: str) -> str:
    """Name the key in the bucket of readiness that a user writes, to be sure that JetStream stores."""
    return f"{user}.room"


def _service(
    name: str,
    publish: tuple[str, ...],
    subscribe: tuple[str, ...] = (),
    *,
    answers: bool = False,
    measures: tuple[str, ...] = (),
) -> User:
    """Build a user that may also ask how those streams stand that it needs, and those that it `measures`.

    OBSERVATIONS is among them: everybody reads its clock.
    """
    publish = (*_writes_own(topology.READINESS, name), *publish)
    needed = {*_streams_behind((*publish, *subscribe)), topology.OBSERVATIONS, *measures}
    return User(name, (*_ASKS, *_stands(*sorted(needed)), *publish), subscribe, answers)


OWNER = User(
    "setup",
    publish=(
        *_ASKS,
        *_stands(_ANY),
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
        subjects.stream_observation(_ANY),
        # No direct get: its empty answer, on a subject of the API, would delete a stream.
        f"$JS.API.STREAM.MSG.GET.{topology.key_value_stream(topology.STREAMS_SEEN)}",
        *_writes(topology.STREAMS_SEEN),
    ),
    among_streams=True,
)
"""Declares streams, consumers and buckets (`vonggac.bus.declared.topology`), copies them and brings copies back, and
publishes what was lost with one that was gone (`vonggac.bus.declared.keeping`)."""

_DEAD_LETTERS = (
    f"$JS.API.STREAM.MSG.GET.{topology.DEAD_LETTERS}",
    f"$JS.API.STREAM.MSG.DELETE.{topology.DEAD_LETTERS}",
    f"$JS.API.DIRECT.GET.{topology.INVENTORY}.{subjects.inventory(_ANY, _ANY)}",
    subjects.REPLAYS,
)
"""Lists dead letters, and replays them: an observation as it was, a job or a state as it is now."""

INVENTORY = _service(
    "inventory",
    publish=(
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
    measures=topology.BOUNDED,
)

_PLACES = tuple(
    f"$JS.API.DIRECT.GET.{topology.INVENTORY}.{subjects.inventory(noun, _ANY)}" for noun in ("facility", "unit")
)
"""Where facilities lie: what a caller with a scope may see of their cameras."""

PROBER = _service(
    "prober",
    publish=(
        *_works(topology.PROBE_JOBS, topology.PROBER),
        *_works(topology.VERIFY_JOBS, topology.VERIFIER),
        *_keeps_refused("prober"),
        f"$JS.API.DIRECT.GET.{topology.INVENTORY}.{subjects.inventory('camera', _ANY)}",
        *_PLACES,
        subjects.camera_observation(_ANY),
        subjects.delivery_verification(_ANY, _ANY),
        subjects.site_observation(_ANY),
        subjects.worker_heartbeat("prober", _ANY),
        subjects.demand(_ANY),
        # The log of what people had it do.
        subjects.direct_get(topology.DEMANDS),
        subjects.probe_lock(_ANY),
        subjects.camera_keyframe(_ANY),
        subjects.camera_hash_keyframes(_ANY),
        subjects.camera_picture_judged(_ANY),
        subjects.camera_read_back(_ANY),
        *_writes(
            topology.CAMERA_STATUS,
            topology.CAMERA_FAILURES,
            topology.LOGIN_FAILURES,
            topology.THUMBNAILS,
            topology.PICTURE_REFERENCES,
            topology.REPETITION_DISPUTES,
            topology.SCANS,
            topology.SITE_STATUS,
            topology.VERIFICATIONS,
        ),
        *_writes_own(topology.RESEALED_SECRETS, "prober"),
        *_writes_own(topology.WORKERS, "prober"),
        *_reads(
            topology.CAMERA_STATUS,
            topology.CAMERA_FAILURES,
            topology.DELIVERY_STATUS,
            topology.KEYFRAMES,
            topology.LOGIN_FAILURES,
            topology.THUMBNAILS,
            topology.PICTURE_REFERENCES,
            topology.REPETITION_DISPUTES,
            topology.RESEALED_SECRETS,
            topology.SCANS,
            topology.SITE_STATUS,
            topology.VERIFICATIONS,
            topology.WORKERS,
        ),
    ),
    subscribe=(
        subjects.stored(subjects.camera_media_observation(_ANY)),
        subjects.stored(subjects.delivery_observation(_ANY)),
        subjects.read_back_hint(_ANY),
        subjects.probe_lock(_ANY),
        *_follows(
            topology.CAMERA_STATUS,
            topology.LOGIN_FAILURES,
            topology.PICTURE_REFERENCES,
            topology.REPETITION_DISPUTES,
            topology.RESEALED_SECRETS,
            topology.WORKERS,
        ),
    ),
    answers=True,
)

_OF_FORWARDERS = (
    subjects.camera_adopt(_ANY),
    subjects.camera_centre_request(_ANY),
    subjects.camera_deliveries(_ANY),
    subjects.camera_retry(_ANY),
    subjects.worker_handover(_ANY),
)
"""What forwarders ask each other."""

FORWARDER = _service(
    "forwarder",
    publish=(
        *_works(topology.DELIVERY_JOBS, topology.FORWARDER),
        *_PLACES,
        *_keeps_refused("forwarder"),
        subjects.camera_media_observation(_ANY),
        subjects.delivery_observation(_ANY),
        subjects.worker_heartbeat("forwarder", _ANY),
        subjects.read_back_hint(_ANY),
        *_OF_FORWARDERS,
        *_writes(
            topology.DELIVERY_COMMANDS,
            topology.DELIVERY_STATUS,
            topology.KEYFRAMES,
            topology.LOGIN_FAILURES,
            topology.SERVED_ACCOUNTS,
        ),
        *_writes_own(topology.RESEALED_SECRETS, "forwarder"),
        *_writes_own(topology.WORKERS, "forwarder"),
        *_reads(
            topology.DELIVERY_COMMANDS,
            topology.DELIVERY_STATUS,
            topology.LOGIN_FAILURES,
            topology.RESEALED_SECRETS,
            topology.SERVED_ACCOUNTS,
            topology.WORKERS,
        ),
    ),
    subscribe=(
        subjects.camera_adopt(_ANY),
        subjects.camera_requests(_ANY),
        subjects.worker_handover(_ANY),
        subjects.worker_facts_lost(_ANY),
        subjects.stored(subjects.delivery_verification(_ANY, _ANY)),
        *_follows(
            topology.DELIVERY_COMMANDS,
            topology.DELIVERY_STATUS,
            topology.LOGIN_FAILURES,
            topology.RESEALED_SECRETS,
            topology.SERVED_ACCOUNTS,
            topology.WORKERS,
        ),
    ),
    answers=True,
)

REPORTING = _service(
    "reporting",
    publish=(
        *_works(topology.INVENTORY, topology.REPORTING_INVENTORY),
        *_works(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS),
        *_keeps_refused("reporting"),
        subjects.notice(_ANY, _ANY),
        subjects.worker_facts_lost(_ANY),
        # What its tables lost when they were restored from an older copy.
        subjects.direct_get(topology.INVENTORY),
        subjects.direct_get(topology.OBSERVATIONS),
    ),
    # When a delivery was proven last, which most read-backs say unstored.
    subscribe=_follows(topology.VERIFICATIONS),
)

CONSOLE = _service(
    "console",
    publish=(
        *_writes(topology.CONSOLE_SESSIONS, topology.CONSOLE_SCREENS),
        *_reads(topology.CONSOLE_SESSIONS, topology.CONSOLE_SCREENS),
    ),
)
"""Keeps its sessions and screens, and reads nothing else: what pages show comes by a person's own token."""

USERS = (OWNER, INVENTORY, PROBER, FORWARDER, REPORTING, CONSOLE)
"""The simulator and the demo have none: they never speak to NATS."""

TESTER = User("tester", publish=(">",), subscribe=(">",), answers=True, among_streams=True)
"""Never on a platform: tests and measurements on a throw-away server are whoever they have to be."""

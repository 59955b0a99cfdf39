"""Every NATS subject of the platform, in one place. `*` as an argument makes the pattern of all."""

from uuid import UUID

OBSERVATIONS = "observation.>"
"""All facts: what prober and forwarder observe, and what the owner of the streams lost."""
REPLAYS = "replay.observation.>"
"""Facts that were dead letters, published once more by inventory."""
NOTICES = "notice.>"
"""All facts that reporting publishes."""
DEMANDS = "demand.>"
"""All that people had probers do at addresses."""
DEAD_LETTERS = "dead.>"


def inventory(noun: str, thing_id: UUID | str) -> str:
    """`inventory.<noun>.<id>`; a noun is the name in its payload's type: `vn.vonggac.inventory.<noun>.v1`."""
    return f"inventory.{noun}.{thing_id}"


def probe_job(camera_id: UUID | str) -> str:
    return f"probe.job.{camera_id}"


def delivery_job(camera_id: UUID | str) -> str:
    return f"delivery.job.{camera_id}"


def verify_job(camera_id: UUID | str) -> str:
    return f"verify.job.{camera_id}"


def state_behind(subject: str) -> str | None:
    """Where the state stands that a job, or the state's own message, is about; None for any other subject."""
    for job in (probe_job, delivery_job, verify_job):
        if subject.startswith(job("")):
            return inventory("camera", subject.removeprefix(job("")))
    states, _, _ = inventory("*", "*").partition("*")
    return subject if subject.startswith(states) else None


def camera_observation(camera_id: UUID | str) -> str:
    return f"observation.camera.{camera_id}"


def camera_media_observation(camera_id: UUID | str) -> str:
    """Whether media of a camera comes to the forwarder that pulls it."""
    return f"observation.camera_media.{camera_id}"


def delivery_observation(delivery_id: UUID | str) -> str:
    return f"observation.delivery.{delivery_id}"


def delivery_verification(camera_id: UUID | str, delivery_id: UUID | str) -> str:
    """With `*` for the delivery: all of a camera, which its holder listens to."""
    return f"observation.verification.{camera_id}.{delivery_id}"


def site_observation(facility_id: UUID | str) -> str:
    return f"observation.site.{facility_id}"


def worker_heartbeat(service: str, worker_id: str) -> str:
    """`service` is a name of its own on the subject: each publishes its own heartbeats alone."""
    return f"observation.worker.{service}.{worker_id}"


def stream_observation(stream: str) -> str:
    """Name the subject of what was lost with a stream, a bucket or a consumer, from the owner of the streams."""
    return f"observation.stream.{stream}"


def stored(observation: str) -> str:
    """Name the subject on which the server publishes an observation that it has stored: whoever listens there can
    neither answer the publisher nor hear what was refused."""
    return f"stored.{observation}"


def replay(observation: str) -> str:
    """Name the subject of an observation that was a dead letter."""
    return f"replay.{observation}"


def demand(kind: str) -> str:
    """`demand.<kind>`: what a caller had a prober do at addresses."""
    return f"demand.{kind}"


def notice(noun: str, thing_id: UUID | str) -> str:
    """`notice.<noun>.<id>`: what reporting found of a camera's outages, a site, an obligation or a report."""
    return f"notice.{noun}.{thing_id}"


def camera_keyframe(camera_id: UUID | str) -> str:
    """Core NATS request-reply: the newest keyframe, from the forwarder that holds the camera."""
    return f"forwarder.camera.{camera_id}.keyframe"


def camera_hash_keyframes(camera_id: UUID | str) -> str:
    """Core NATS request-reply: the holder of the camera hashes every keyframe for the next seconds."""
    return f"forwarder.camera.{camera_id}.hash_keyframes"


def camera_picture_judged(camera_id: UUID | str) -> str:
    """Core NATS, no answer: a prober decoded the camera's picture, and its holder remembers what was found."""
    return f"forwarder.camera.{camera_id}.picture_judged"


def camera_read_back(camera_id: UUID | str) -> str:
    """Core NATS, no answer, body the event: a prober read a delivery back, and it is no fact that is stored."""
    return f"forwarder.camera.{camera_id}.read_back"


def camera_retry(camera_id: UUID | str) -> str:
    """Core NATS request-reply, body a delivery id: the holder of the camera retries it now."""
    return f"forwarder.camera.{camera_id}.retry"


def camera_deliveries(camera_id: UUID | str) -> str:
    """Core NATS request-reply: the state of the camera's deliveries at this moment, from its holder."""
    return f"forwarder.camera.{camera_id}.deliveries"


def camera_centre_request(camera_id: UUID | str) -> str:
    """Core NATS, no answer, body `CentreRequest`: a centre asked another forwarder than the camera's holder."""
    return f"forwarder.camera.{camera_id}.centre_request"


def camera_requests(camera_id: UUID | str) -> str:
    """All of these requests of one camera: its holder listens to them with one subscription."""
    return f"forwarder.camera.{camera_id}.*"


def camera_adopt(camera_id: UUID | str) -> str:
    """Core NATS request-reply, body a job: the holder of the camera adopts it."""
    return f"forwarder.adopt.{camera_id}"


def worker_handover(worker_id: str) -> str:
    """Core NATS request-reply, body a job: the forwarder prepares for the job's camera, or takes it over."""
    return f"forwarder.worker.{worker_id}.handover"


def read_back_hint(camera_id: UUID | str) -> str:
    """Core NATS, body `ReadBackHint`: the holder of the camera has reason to have a delivery of it read back now."""
    return f"forwarder.read_back_hint.{camera_id}"


def worker_facts_lost(worker_id: str) -> str:
    """Core NATS, body `FactsLost`: reporting to a forwarder of whose facts some are lost for good."""
    return f"forwarder.worker.{worker_id}.facts_lost"


def probe_lock(camera_id: UUID | str) -> str:
    """Core NATS: one prober probes the camera on demand; whichever probes it now answers."""
    return f"prober.probe_lock.{camera_id}"


def dead_letter(stream: str, durable: str) -> str:
    """Name the subject of what the consumer `durable` of `stream` could not handle."""
    return f"dead.{stream}.{durable}.letter"


def dead_letters(stream: str, durable: str) -> str:
    """All of them: where an account publishes to a subject without a wildcard, answers of JetStream cross as well."""
    return f"dead.{stream}.{durable}.*"


def key_value(bucket: str, key: UUID | str) -> str:
    """Name the subject on which a message becomes the value of `key` in a bucket."""
    return f"$KV.{bucket}.{key}"


def republished(bucket: str, key: UUID | str) -> str:
    """Name the subject on which the server publishes what it has stored of a bucket, with its revision."""
    return f"kv.{bucket}.{key}"


def direct_get(stream: str) -> str:
    """JetStream's own: messages of a stream that allows direct gets, by any of its replicas."""
    return f"$JS.API.DIRECT.GET.{stream}"


def stream_info(stream: str) -> str:
    """JetStream's own: how a stream stands, with the server's time."""
    return f"$JS.API.STREAM.INFO.{stream}"


STREAM_NAMES = "$JS.API.STREAM.NAMES"


def stream_snapshot(stream: str) -> str:
    """Name the subject of the request for a copy of a stream with its consumers."""
    return f"$JS.API.STREAM.SNAPSHOT.{stream}"


def stream_restore(stream: str) -> str:
    """Name the subject of the request to restore such a copy."""
    return f"$JS.API.STREAM.RESTORE.{stream}"


def consumer_info(stream: str, durable: str) -> str:
    """JetStream's own: how a durable consumer stands, with the server's time."""
    return f"$JS.API.CONSUMER.INFO.{stream}.{durable}"


def next_messages(stream: str, durable: str) -> str:
    """JetStream's own: a pull request to a durable consumer."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"

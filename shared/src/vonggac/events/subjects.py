"""Where each event travels: NATS subjects, in one place."""

from uuid import UUID


def inventory(noun: str, thing_id: UUID | str) -> str:
    """`inventory.<noun>.<id>`; nouns: agency, district, facility, focal_point, destination, camera."""
    return f"inventory.{noun}.{thing_id}"


def camera_observation(camera_id: UUID | str) -> str:
    return f"observation.camera.{camera_id}"


def delivery_observation(delivery_id: UUID | str) -> str:
    return f"observation.delivery.{delivery_id}"


def delivery_verification(camera_id: UUID | str, delivery_id: UUID | str) -> str:
    """With `*` for the delivery: all of a camera, which its holder listens to."""
    return f"observation.verification.{camera_id}.{delivery_id}"


def site_observation(facility_id: UUID | str) -> str:
    return f"observation.site.{facility_id}"


def forwarder_keyframe(camera_id: UUID | str) -> str:
    """Core NATS request-reply: the newest keyframe, from the forwarder that holds the camera."""
    return f"forwarder.keyframe.{camera_id}"


def forwarder_hash_keyframes(camera_id: UUID | str) -> str:
    """Core NATS request-reply: the holder of the camera hashes every keyframe for the next seconds."""
    return f"forwarder.camera.{camera_id}.hash_keyframes"


def forwarder_retry(camera_id: UUID | str) -> str:
    """Core NATS request-reply, body a delivery id: the holder of the camera tries it again now."""
    return f"forwarder.camera.{camera_id}.retry"


def forwarder_deliveries(camera_id: UUID | str) -> str:
    """Core NATS request-reply: how the camera's deliveries stand at this moment, from its holder."""
    return f"forwarder.camera.{camera_id}.deliveries"


def forwarder_adopt(camera_id: UUID | str) -> str:
    """Core NATS request-reply: the holder of the camera takes its job; without a holder the server answers at once."""
    return f"forwarder.camera.{camera_id}.adopt"


def forwarder_take(worker_id: str) -> str:
    """Core NATS request-reply: a worker takes a camera that another one hands over."""
    return f"forwarder.take.{worker_id}"


def prober_turn(camera_id: UUID | str) -> str:
    """Core NATS: one prober looks at the camera because a person asked; whoever looks at it now answers."""
    return f"prober.turn.{camera_id}"


def worker_heartbeat(worker_id: str) -> str:
    return f"observation.worker.{worker_id}"


def key_value(bucket: str, key: UUID | str) -> str:
    """The subject on which a message becomes the value of `key` in a bucket."""
    return f"$KV.{bucket}.{key}"


def republished(bucket: str, key: UUID | str) -> str:
    """The subject on which the server publishes what it has stored of a bucket, with its revision."""
    return f"kv.{bucket}.{key}"

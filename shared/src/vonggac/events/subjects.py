"""Where each event travels: NATS subjects, in one place."""

from uuid import UUID


def inventory(noun: str, thing_id: UUID | str) -> str:
    """`inventory.<noun>.<id>`; nouns: agency, district, facility, focal_point, destination, camera."""
    return f"inventory.{noun}.{thing_id}"


def camera_observation(camera_id: UUID | str) -> str:
    return f"observation.camera.{camera_id}"


def delivery_observation(delivery_id: UUID | str) -> str:
    return f"observation.delivery.{delivery_id}"


def worker_heartbeat(worker_id: str) -> str:
    return f"observation.worker.{worker_id}"


def key_value(bucket: str, key: UUID | str) -> str:
    """The subject on which a message becomes the value of `key` in a bucket."""
    return f"$KV.{bucket}.{key}"

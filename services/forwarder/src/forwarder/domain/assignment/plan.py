"""From a changed job to what to restart: only what changed."""

from dataclasses import dataclass
from uuid import UUID

from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.inventory.serving import SERVED


@dataclass(frozen=True, slots=True)
class PlanChange:
    """Deliveries by what happens to them; ids of `stopped` are those of the old plan."""

    restart_source: bool
    started: tuple[PlannedDelivery, ...]
    restarted: tuple[PlannedDelivery, ...]
    stopped: tuple[PlannedDelivery, ...]
    disabled: tuple[PlannedDelivery, ...]


def wanted(camera: CameraV1) -> dict[UUID, PlannedDelivery]:
    """Map the deliveries that shall run; none when the camera is disabled, or its facility suspended or closed."""
    return {delivery.id: delivery for delivery in camera.forwarded}


def unwanted(camera: CameraV1) -> tuple[PlannedDelivery, ...]:
    """List the deliveries that the plan names and that shall not run."""
    running = wanted(camera)
    return tuple(delivery for delivery in camera.deliveries if delivery.id not in running)


def why_off(camera: CameraV1, delivery_id: UUID) -> str | None:
    """Why a delivery that the plan names shall not run, for people; None when it shall, or is not named."""
    planned = next((delivery for delivery in camera.deliveries if delivery.id == delivery_id), None)
    if planned is None or delivery_id in wanted(camera):
        return None
    if not camera.enabled:
        return "its camera is switched off in the register"
    if not camera.in_service:
        return f"the facility of its camera is {camera.facility_status}"
    if not planned.enabled:
        return "it or its destination is switched off in the register"
    return "no agreed plan names it, and it has no exception (R04)"


def is_served(planned: PlannedDelivery) -> bool:
    """Whether the centre opens the session."""
    return planned.serving is not None and planned.url.startswith(f"{SERVED}://")


def compare(old: CameraV1, new: CameraV1) -> PlanChange:
    """Find what to do to get from `old` to `new`."""
    before, after = wanted(old), wanted(new)
    # Who opens the session decides what runs: a delivery of another mode is another one.
    kept = {key for key in before.keys() & after.keys() if is_served(before[key]) is is_served(after[key])}
    return PlanChange(
        restart_source=_source(old) != _source(new),
        started=tuple(delivery for key, delivery in after.items() if key not in kept),
        restarted=tuple(after[key] for key in after if key in kept and _target(before[key]) != _target(after[key])),
        stopped=tuple(delivery for key, delivery in before.items() if key not in kept),
        disabled=unwanted(new),
    )


def _source(camera: CameraV1) -> tuple[object, ...]:
    return camera.url, camera.secret, camera.tls, camera.transport, camera.forward_audio


def _target(delivery: PlannedDelivery) -> tuple[object, ...]:
    if is_served(delivery):
        # Its login and rules change amid a session: a password that is rotated cuts nobody off.
        return delivery.url, delivery.destination_id
    # Not what is read back, and how: that is the prober's.
    return (
        delivery.url,
        delivery.secret,
        delivery.tls,
        delivery.enhanced_rtmp,
        delivery.destination_id,
        delivery.serving,
    )

"""A camera of this worker."""

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass

from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from forwarder.domain.assignment.plan import is_served
from forwarder.relay.assignment.camera_rpc import CameraRpc
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.served_delivery import ServedDeliverySupervisor
from vonggac.bus import Job
from vonggac.telemetry import get_logger

log = get_logger(__name__)


@dataclass(slots=True, eq=False)
class HeldCamera:
    """Its latest job, what runs for it, and the subscriptions for its next job and for requests."""

    job: Job
    relay: CameraRelay
    adoption: Subscription
    rpc: CameraRpc
    ending: bool = False


async def answer_job(reply: Awaitable[None]) -> None:
    """Answer the server. When it is away, the job's time is over anyway and it is delivered again."""
    try:
        await reply
    except (NatsError, OSError) as error:
        log.info("job_answer_failed", error=type(error).__name__)


def begin_to_serve(relays: Iterable[CameraRelay]) -> None:
    """Serve every delivery that could not be served before there was a way in."""
    for relay in relays:
        waiting = [
            key
            for key, supervisor in relay.deliveries.items()
            if is_served(supervisor.plan) and not isinstance(supervisor, ServedDeliverySupervisor)
        ]
        if waiting:
            whole = relay.camera
            others = tuple(planned for planned in whole.deliveries if planned.id not in waiting)
            relay.apply_plan(whole.model_copy(update={"deliveries": others}))
            relay.apply_plan(whole)

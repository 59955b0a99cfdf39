"""A camera of this worker."""

from collections.abc import Awaitable
from dataclasses import dataclass

from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from forwarder.relay.assignment.camera_rpc import CameraRpc
from forwarder.relay.supervision.camera import CameraRelay
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

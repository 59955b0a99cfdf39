"""A camera of this worker."""

from collections.abc import Awaitable
from dataclasses import dataclass

from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from forwarder.relay.assignment.camera_rpc import Answering
from forwarder.relay.supervision.camera import CameraRelay
from vonggac.bus import Job
from vonggac.telemetry import get_logger

log = get_logger(__name__)


@dataclass(slots=True, eq=False)
class Held:
    """Its latest job, what runs for it, and where others offer its next job or ask for it."""

    job: Job
    relay: CameraRelay
    offers: Subscription
    answering: Answering
    ending: bool = False


async def answer(reply: Awaitable[None]) -> None:
    """Answer the server; when it is away, the job's turn is over anyway and it will be offered again."""
    try:
        await reply
    except (NatsError, OSError) as error:
        log.info("job_answer_failed", error=type(error).__name__)

"""What no retry can save is copied to DEAD_LETTERS with its reason, then taken off its queue; never thrown away."""

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from vonggac.bus.connection import Bus
from vonggac.events import subjects
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

REASON_HEADER = "Vonggac-Reason"
SUBJECT_HEADER = "Vonggac-Subject"
MAX_REASON_CHARACTERS = 500


async def dead_letter(bus: Bus, message: Msg, *, stream: str, durable: str, reason: str) -> None:
    """Copy `message` to DEAD_LETTERS, then terminate it.

    Raises NatsError or TimeoutError when the copy cannot be stored; the message then stays where it is.
    """
    safe = " ".join(reason.split())[:MAX_REASON_CHARACTERS].encode("ascii", "replace").decode()
    # The server's own headers (Nats-Stream-Source, Nats-Msg-Id, …) would make it refuse or drop the copy.
    kept = {name: value for name, value in (message.headers or {}).items() if not name.startswith("Nats-")}
    headers = {**kept, REASON_HEADER: safe, SUBJECT_HEADER: message.subject}
    await bus.js.publish(subjects.dead_letter(stream, durable), message.data, headers=headers)
    await message.term()
    log.error("message_dead_lettered", stream=stream, durable=durable, subject=message.subject, reason=safe)


async def dead_letter_or_retry(
    bus: Bus, message: Msg, *, stream: str, durable: str, reason: str, retry_after_s: float
) -> None:
    """As `dead_letter`; when the copy cannot be stored, the message is delivered again after `retry_after_s`."""
    try:
        await dead_letter(bus, message, stream=stream, durable=durable, reason=reason)
    except (TimeoutError, NatsError) as error:
        log.warning("dead_letter_failed", subject=message.subject, error=type(error).__name__)
        try:
            await message.nak(delay=retry_after_s)
        except NatsError as lost:
            # The server delivers it again after the ack wait.
            log.debug("release_failed", subject=message.subject, error=type(lost).__name__)

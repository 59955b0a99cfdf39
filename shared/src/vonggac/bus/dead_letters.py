"""What no retry can save is kept with its reason, then taken off the queue; never thrown away."""

from nats.aio.msg import Msg

from vonggac.bus.connection import Bus
from vonggac.events import subjects
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

REASON_HEADER = "Vonggac-Reason"
SUBJECT_HEADER = "Vonggac-Subject"
MAX_REASON_CHARACTERS = 500


async def bury(bus: Bus, message: Msg, *, stream: str, durable: str, reason: str) -> None:
    """Copy `message` to DEAD_LETTERS, then terminate it.

    Raises NatsError or TimeoutError when the copy cannot be stored; the message then stays where it is.
    """
    safe = " ".join(reason.split())[:MAX_REASON_CHARACTERS].encode("ascii", "replace").decode()
    # The server's own headers (Nats-Stream-Source, Nats-Msg-Id, …) would make it refuse or drop the copy.
    kept = {name: value for name, value in (message.headers or {}).items() if not name.startswith("Nats-")}
    headers = {**kept, REASON_HEADER: safe, SUBJECT_HEADER: message.subject}
    await bus.js.publish(subjects.dead_letter(stream, durable), message.data, headers=headers)
    await message.term()
    log.error("message_buried", stream=stream, durable=durable, subject=message.subject, reason=safe)

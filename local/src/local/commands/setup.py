"""`python -m local setup`: declare the streams, once before the services start, as the owner of the streams."""

from local.commands.progress import Progress
from local.platform.streams import Login, declare_streams

STREAMS_WITHIN_S = 60.0


async def setup(nats_url: str, login: Login | None, *, replicas: int, progress: Progress) -> int:
    """Declare what is missing at NATS and update what differs.

    Raises TimeoutError or NatsError when NATS does not answer or refuses, OSError without the password.
    """
    touched = await declare_streams(nats_url, login, replicas=replicas, within_s=STREAMS_WITHIN_S)
    progress.step("NATS", f"declared {', '.join(touched)}" if touched else "streams stand already")
    return 0

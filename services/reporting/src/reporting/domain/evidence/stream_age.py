"""How far the tables are behind a stream of the bus, in events and in time."""

from datetime import datetime
from typing import NamedTuple


class StreamAge(NamedTuple):
    """As one process measured it last. None: not known."""

    stream: str
    consumer: str
    pending: int | None = None
    """Events that are not handled yet."""
    oldest_pending_age_s: float | None = None
    handled_at: datetime | None = None
    """When the last event was stored with which all was in the tables."""
    stream_time: datetime | None = None
    """When the stream's last message was stored."""

    def without_pending(self) -> "StreamAge":
        """The same while nobody knows what waits."""
        return self._replace(pending=None, oldest_pending_age_s=None)

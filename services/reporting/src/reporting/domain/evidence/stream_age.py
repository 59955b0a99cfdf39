"""How far the tables are behind a stream of the bus, in events and in time."""

from collections.abc import Iterable
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
        """Return the same while nobody knows what waits."""
        return self._replace(pending=None, oldest_pending_age_s=None)


def is_behind(ages: Iterable[StreamAge], stream: str, most: int) -> bool:
    """Whether more than `most` events of the stream wait, or nobody knows how many do."""
    waiting = [one.pending for one in ages if one.stream == stream]
    return not waiting or any(each is None or each > most for each in waiting)

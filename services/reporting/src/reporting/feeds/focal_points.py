"""Who is in office at each facility, read from the register's stream when a paper is made, and kept nowhere.

Of each focal point the newest state in the stream counts; whom the register removes is gone from the next paper.
"""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from nats.errors import Error as NatsError

from reporting.messaging import Feed, read_focal_points
from vonggac.events import MalformedEventError
from vonggac.events.addresses import decode_on
from vonggac.events.inventory import FocalPointV1


class BusAwayError(Exception):
    """NATS does not answer: nobody can say who is in office."""


class FocalPoints:
    """The people of the register, for who may see them."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def read(self, on: date) -> Mapping[UUID, list[FocalPointV1]]:
        """Those in office on a day of Vietnam, by facility, by name. Raises BusAwayError."""
        if self._feed.bus is None:
            raise BusAwayError
        newest: dict[str, FocalPointV1 | None] = {}
        try:
            async for page in read_focal_points(self._feed.bus):
                newest |= {message.subject: _state(message.subject, message.body) for message in page}
        except (NatsError, TimeoutError):
            raise BusAwayError from None
        found: dict[UUID, list[FocalPointV1]] = {}
        for state in newest.values():
            if state is not None and is_in_office(state, on):
                found.setdefault(state.facility_id, []).append(state)
        return {key: sorted(people, key=lambda one: (one.full_name, str(one.id))) for key, people in found.items()}


def is_in_office(one: FocalPointV1, on: date) -> bool:
    """Both days of its period belong to it."""
    return one.valid_from <= on and (one.valid_to is None or on <= one.valid_to)


def _state(subject: str, body: bytes) -> FocalPointV1 | None:
    """None for one that was removed, and for what cannot be read."""
    try:
        data = decode_on(subject, body).data
    except MalformedEventError:
        return None
    return data if isinstance(data, FocalPointV1) else None

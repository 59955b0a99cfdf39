"""`/v1/actions`, the same in each service: who did what, when and why, from the audit trail that the service has."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, PlainSerializer, WithJsonSchema

from vonggac.http.lists.listing import Listing
from vonggac.http.lists.sorting import Key
from vonggac.http.lists.words import Words, matcher

_VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
_LocalTime = Annotated[
    datetime,
    PlainSerializer(lambda value: value.astimezone(_VIETNAM).isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class ActionResponse(BaseModel):
    """Who did what."""

    id: str
    at: _LocalTime
    by: str = Field(description="Subject of the token.")
    action: str
    noun: str
    thing_id: UUID | None = None
    name: str | None = Field(default=None, description="Code, name or address.")
    state: str | None = Field(default=None, description="That it came into.")
    camera_ids: list[UUID] = []
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """Which acts are asked for: `since` included, `until` not, with all words of `q`."""

    since: datetime | None
    until: datetime | None
    q: str | None

    def fits_time(self, at: datetime) -> bool:
        """Whether an act of that instant is asked for."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def choose(self, actions: list[ActionResponse]) -> list[ActionResponse]:
        """Those of the actions that are asked for."""
        has_words = matcher(self.q)
        return [
            one
            for one in actions
            if self.fits_time(one.at) and has_words(one.by, one.action, one.noun, one.name, one.state, one.reason)
        ]


def read_filter(
    since: AwareDatetime | None = None, until: AwareDatetime | None = None, q: Words = None
) -> ActionFilter:
    """Read the parameters of the list beside those of its pages."""
    return ActionFilter(since, until, q)


KEYS: dict[str, Key[ActionResponse]] = {"at": Key(lambda one: one.at, datetime), "id": Key(lambda one: one.id)}
ACTIONS = Listing(ActionResponse, keys=KEYS, id_key="id", default_sort="-at")
"""Of services that have their whole trail in memory, and of tables with these two columns."""

"""What every payload of inventory carries: identity, revision, who changed it and why."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from vonggac.events.envelope import Payload


class State(Payload):
    """The whole current state of one thing."""

    id: UUID
    revision: int = Field(ge=1, description="Grows by one with every change of this thing.")
    changed_at: AwareDatetime
    created_at: AwareDatetime | None = Field(default=None, description="Since when it exists.")
    changed_by: str | None = Field(default=None, description="Subject of the token that made this change.")
    reason: str | None = Field(default=None, max_length=500, description="Why, as far as it was given.")


class RemovedV1(Payload):
    """The tombstone: the thing named by the message's subject is gone."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.removed.v1"
    id: UUID
    noun: str
    revision: int
    removed_at: datetime
    removed_by: str | None = Field(default=None, description="Subject of the token that removed it.")
    reason: str | None = Field(default=None, max_length=500, description="Why, as far as it was given.")

"""What every answer about a thing has, and what one has that says who acted."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel


class Shown(BaseModel):
    """The fields of every answer about a thing."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    revision: int = Field(description="Grows with every change.")
    etag: str = Field(description="Send it as If-Match to change or remove the thing.", examples=['"1"'])
    created_at: AwareDatetime
    changed_at: AwareDatetime
    valid_from: date | None = Field(description="First day on which it is in force, in Asia/Ho_Chi_Minh.")
    valid_to: date | None = Field(description="Last day, included.")


class NamedActor(BaseModel):
    """As the token said at the act."""

    name: str
    post: str | None


class Named(RootModel[dict[str, NamedActor]]):
    """Who its logins were, by field: `approved_by`, `answers.0.recorded_by`. For readers of people."""


type Acts = Mapping[str, str | None]
"""A field that holds a login, or one of its records, `answers.recorded_by`, to the field beside it that says when.
None: the change log knows."""


class Acted(BaseModel):
    """An answer with logins of who acted."""

    acts: ClassVar[Acts] = {}

    named: Named = Field(default_factory=lambda: Named({}))

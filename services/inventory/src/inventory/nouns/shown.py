"""What every answer about a thing has."""

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


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

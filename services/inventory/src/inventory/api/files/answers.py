"""What an import answers: its difference, how far it is, and what became of one that was taken back."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from inventory.importing.storing.import_list import State
from inventory.nouns.shown import Acted, Acts
from vonggac.http import Problem


class FieldChange(BaseModel):
    """One field of one row."""

    column: str
    heading: str
    before: Any
    after: Any


class RowChange(BaseModel):
    """One row that changes something."""

    sheet: str | None = Field(default=None, description="The sheet of a workbook.")
    row: int = Field(description="1-based line of the file, or of the sheet.")
    key: str
    action: Literal["created", "updated"]
    changes: list[FieldChange]


class ImportDone(BaseModel):
    """The result of an import, or with `dry_run` of a check."""

    id: UUID | None = Field(description="To read it again or to take it back; none of a dry run.")
    kind: str
    dry_run: bool
    rows: int
    created: int = Field(description="Rows with a code that was not on record.")
    updated: int = Field(description="Rows that changed what was on record.")
    unchanged: int
    difference: list[RowChange] = Field(description="Of a dry run, the first 1,000 rows that change something.")


class ImportResponse(Acted):
    """One import of the list."""

    acts: ClassVar[Acts] = {"sent_by": "began_at", "reverted_by": "reverted_at"}

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    state: State
    dry_run: bool
    file_name: str | None
    sha256: str
    sent_by: str
    request_id: str
    reason: str | None
    began_at: datetime
    finished_at: datetime | None
    phase: str
    rows: int
    created: int
    updated: int
    unchanged: int
    reverted_at: datetime | None
    reverted_by: str | None
    problem: Problem | None
    result: dict[str, Any] | None


class LeftResponse(BaseModel):
    """A record that was not taken back."""

    model_config = ConfigDict(from_attributes=True)

    noun: str
    id: UUID
    key: str
    reason: str


class TakenBackResponse(BaseModel):
    """What became of what an import had done."""

    model_config = ConfigDict(from_attributes=True)

    removed: int = Field(description="Records that the import had created.")
    restored: int = Field(description="Records that are as they were before it; passwords stay the newer ones.")
    left: list[LeftResponse] = Field(description="Records that somebody changed since or that are referred to.")

"""Journal entries: a free note on any thing of the register, never changed and never removed (R25)."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import PERIOD_HEADINGS, Dated, Note

HEADINGS: Mapping[str, str] = {"about_noun": "Loại", "about_id": "Mã định danh", "text": "Nội dung", **PERIOD_HEADINGS}


class JournalEntryFields(Dated):
    """A note. Who writes it and when is recorded by itself; a correction is another note."""

    about_noun: str = Field(pattern=r"^[a-z_]{1,32}$", description="Noun of the thing, e.g. facility.")
    about_id: UUID
    text: Note

"""Journal entries and blocked reasons (R20, R25)."""

from typing import ClassVar, cast
from uuid import UUID

from pydantic import BaseModel, Field

from inventory.domain.mandate.notes import (
    BLOCKED_HEADINGS,
    JOURNAL_HEADINGS,
    BlockedReasonFields,
    JournalEntryFields,
)
from inventory.nouns.mandate.closable import closed
from inventory.nouns.noun import Noun
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.writer import Write, Writer
from inventory.storage.conflicts import invalid, unknown_reference
from inventory.storage.queries.sight import sees
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import THINGS, BlockedReason, JournalEntry, Thing
from vonggac.events.inventory import BlockedReasonV1, JournalEntryV1

_KINDS = {kind.noun: kind for kind in THINGS if kind is not JournalEntry}


class JournalEntryResponse(Shown, Acted):
    """One note."""

    acts: ClassVar[Acts] = {"written_by": "created_at"}

    about_noun: str
    about_id: UUID
    text: str
    written_by: str = Field(description="Subject of the token that wrote it.")


class _Writer(Writer):
    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Make the note. Raises ProblemError 422 when there is no such thing."""
        given, transaction = cast("JournalEntryFields", fields), writing.transaction
        if given.about_noun not in _KINDS:
            raise invalid("about_noun", f"is no noun of the register; the nouns are {', '.join(sorted(_KINDS))}")
        about = _KINDS[given.about_noun]
        there = await transaction.session.get(about, given.about_id) is not None
        if not there or not await sees(transaction.session, about, given.about_id):
            raise unknown_reference("about_id", given.about_noun)
        entry = kind(**given.model_dump(), written_by=transaction.actor.subject)
        await transaction.add_thing(entry)
        return entry


async def _stays(_transaction: WriteTransaction, before: JournalEntry | None, _after: JournalEntry | None) -> None:
    """Raise ProblemError 409 when a note would change or go, by whatever way: by a file, or with one taken back."""
    if before is not None:
        msg = "a journal entry is never changed and never removed: a correction is another entry"
        raise closed(msg)


JOURNAL_ENTRY = Noun(
    name="journal_entry",
    path="journal-entries",
    vietnamese="nhật ký",
    group="mandate",
    about="Free notes on any thing of the register; they are never changed and never removed (R25).",
    table=JournalEntry,
    fields=JournalEntryFields,
    shown=JournalEntryResponse,
    payload=JournalEntryV1,
    headings=JOURNAL_HEADINGS,
    key=("about_noun", "about_id", "text"),
    label="id",
    filters=("about_noun", "about_id"),
    sorts=("changed_at",),
    check=_stays,
    writer=_Writer(),
    hand_written=frozenset({"change", "remove", "bulk"}),
)

BLOCKED_REASON = Noun(
    name="blocked_reason",
    path="blocked-reasons",
    vietnamese="vướng mắc",
    group="mandate",
    about="Why facilities cannot be connected as they are, and on which days (R20).",
    table=BlockedReason,
    fields=BlockedReasonFields,
    payload=BlockedReasonV1,
    headings=BLOCKED_HEADINGS,
    key=("facility_id", "kind", "valid_from"),
    label="kind",
    references={"facility_id": "facility"},
    filters=("facility_id", "kind"),
    sorts=("valid_from", "kind"),
    searched_through=("facility_id",),
)

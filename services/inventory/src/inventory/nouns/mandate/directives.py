"""Directives (R01)."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.mandate.directive import HEADINGS, DirectiveFields, closes_circle
from inventory.nouns.mandate.states import check_happened
from inventory.nouns.noun import Noun
from inventory.storage.conflicts import field_conflict
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Directive
from vonggac.events.inventory import DirectiveV1

_LINKS = {"implements_id": "carries out", "supersedes_id": "replaces"}


async def links(session: AsyncSession, field: str = "implements_id") -> Mapping[UUID, UUID | None]:
    """Of every directive, the one it carries out (or, by another field, replaces)."""
    rows = await session.execute(select(Directive.id, getattr(Directive, field)))
    return {row[0]: row[1] for row in rows}


async def _check(transaction: WriteTransaction, before: Directive | None, directive: Directive | None) -> None:
    """Raise ProblemError 409 when a link leads back to where it begins, 422 for a day of issue to come."""
    if directive is None:
        return
    check_happened(transaction.now, before, directive, "issued_on")
    for field, does in _LINKS.items():
        target = getattr(directive, field)
        if target is None:
            continue
        present = dict(await links(transaction.session, field))
        if closes_circle(directive.id, target, present):
            raise field_conflict(field, f"the directive it {does} leads back to this one: links run in no circle")


DIRECTIVE = Noun(
    name="directive",
    path="directives",
    vietnamese="văn bản chỉ đạo",
    group="mandate",
    about="The documents that order something, each with what it carries out (R01).",
    table=Directive,
    fields=DirectiveFields,
    payload=DirectiveV1,
    headings=HEADINGS,
    references={"issuer_id": "agency", "implements_id": "directive", "supersedes_id": "directive"},
    filters=("code", "number", "issuer_id", "issued_on", "implements_id", "supersedes_id"),
    sorts=("code", "issued_on", "number"),
    searched_through=("issuer_id",),
    check=_check,
)

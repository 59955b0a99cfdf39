"""A verb on one thing: find it, check If-Match, change it, answer with it as it is then."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import RequestContext
from inventory.api.nouns.models import models_of
from inventory.api.nouns.rules import patch_thing
from inventory.api.nouns.writes import answer_with
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.tables import Thing
from vonggac.auth import Principal
from vonggac.http.conditional import Precondition
from vonggac.http.idempotency import KeptAnswer


class Action(Protocol):
    """Makes the new columns of a thing. Raises ProblemError."""

    def __call__(self, writing: Write, thing: Any, /) -> Mapping[str, Any]: ...


async def change_thing(
    context: RequestContext,
    caller: Principal,
    noun: Noun,
    thing_id: UUID,
    if_match: Precondition,
    action: Action,
    *,
    reason: str | None = None,
) -> Response:
    """Change one thing as `action` says, with the rules of its noun. Raises ProblemError 404, 409, 412, 428."""
    models = models_of(noun)

    async def work(writing: Write) -> Thing:
        thing = await writing.transaction.get_thing(noun.table, thing_id)
        if_match.check(thing.revision)
        return await patch_thing(writing, noun, thing, action(writing, thing))

    async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
        return await answer_with(session, noun, models, thing.id)

    return await context.write(caller, work, answer, reason=reason)

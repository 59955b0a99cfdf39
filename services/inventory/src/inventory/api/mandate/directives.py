"""The chain of a directive: what it carries out, what that carries out, and so on (R01)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import answer_derived, read_item
from inventory.api.nouns.models import models_of
from inventory.domain.mandate.directive import chain_of
from inventory.nouns.mandate.directives import DIRECTIVE
from inventory.nouns.shown import Shown
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Directive
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1/directives", tags=["directives"])

DirectiveResponse: type[Shown] = models_of(DIRECTIVE).shown

type Link = tuple[int, Mapping[str, Any]]
"""A directive, and its place in the chain: 0 is the one that was asked about."""
CHAIN = Listing[Link, Shown](
    DirectiveResponse,
    keys={
        "place": Key(lambda link: link[0], int),
        "code": Key(lambda link: link[1]["code"]),
    },
    id_key="place",
)


@router.get("/{thing_id}/chain", summary="What a directive carries out", responses=CHAIN.responses, response_model=None)
async def get_directive_chain(
    thing_id: UUID,
    context: Context,
    page: Annotated[PageQuery[Link, Shown], Depends(CHAIN)],
    as_of: AsOf = None,
    valid_on: ValidOn = None,
) -> Response:
    """1742 → 1407 → 597: each carries out the next. One that was not in force on `valid_on` is left out of it."""

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[Link]:
        await read_item(session, Directive, recorded, thing_id)
        rows = (await session.execute(select(recorded(Directive)))).mappings()
        links = {row["id"]: row["implements_id"] for row in rows}
        shown = (await session.execute(select(recorded.in_force(Directive)))).mappings()
        in_force: dict[UUID, Mapping[str, Any]] = {row["id"]: dict(row) for row in shown}
        chain = enumerate(chain_of(thing_id, links))
        return [(place, in_force[each]) for place, each in chain if each in in_force]

    return await answer_derived(
        context, page, (as_of, valid_on), read, shown=lambda link: DirectiveResponse.model_validate(link[1])
    )

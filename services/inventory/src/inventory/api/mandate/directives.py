"""The chain of a directive: what it carries out, what that carries out, and so on (R01)."""

from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select

from inventory.api.context import Context
from inventory.api.nouns.clocks import AsOf
from inventory.api.nouns.models import models_of
from inventory.domain.mandate.directive import chain_of
from inventory.nouns.mandate.directives import DIRECTIVE
from inventory.nouns.shown import Shown
from inventory.storage.queries.clocks import missing
from inventory.storage.tables import Directive
from vonggac.auth import guarded_router
from vonggac.http import ProblemError

router = guarded_router(prefix="/v1/directives", tags=["directives"])

DirectiveShown: type[Shown] = models_of(DIRECTIVE).shown


class Chain(BaseModel):
    """A directive, what it carries out, and so on to the first of them."""

    items: list[DirectiveShown] = Field(description="1742 → 1407 → 597: each carries out the next.")  # type: ignore[valid-type] # made at run time


@router.get("/{thing_id}/chain", summary="What a directive carries out")
async def get_directive_chain(thing_id: UUID, context: Context, as_of: AsOf = None) -> Chain:
    """From the directive to the first of its chain."""
    directives = context.recorded(as_of)(Directive)
    async with context.read_transaction() as session:
        rows = {row["id"]: row for row in (await session.execute(select(directives))).mappings()}
        if thing_id not in rows:
            problem: ProblemError = await missing(session, Directive, thing_id)
            raise problem
    links = {key: row["implements_id"] for key, row in rows.items()}
    return Chain(items=[DirectiveShown.model_validate(rows[each]) for each in chain_of(thing_id, links)])

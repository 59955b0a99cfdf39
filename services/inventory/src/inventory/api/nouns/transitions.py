"""`POST …/{id}/transitions` of a noun with a state machine, and what is allowed from where it stands."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, create_model
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import ReasonText, WriteContext
from inventory.api.nouns.models import Models
from inventory.api.nouns.rules import patch_thing, refuse_to_stay
from inventory.api.nouns.signatures import with_parameters
from inventory.api.nouns.writes import answer_with
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.tables import Thing
from vonggac.auth import Caller
from vonggac.http.conditional import IfMatch
from vonggac.http.idempotency import KeptAnswer

_REASON: Any = (
    Annotated[ReasonText | None, Field(description="Why; some transitions are refused without it.")],
    None,
)


def add_transitions(router: APIRouter, noun: Noun, models: Models) -> None:
    """Add the route that moves `noun` to another state. Does nothing for a noun without states."""
    machine = noun.machine
    if machine is None or "transitions" in noun.hand_written:
        return
    body_model: type[BaseModel] = create_model(
        f"{noun.title}Transition",
        __config__=ConfigDict(extra="forbid", frozen=True),
        __doc__="Where to go.",
        to=(machine.states, Field(description="The state to go to.")),
        reason=_REASON,
    )

    async def move(thing_id: UUID, body: Any, context: WriteContext, caller: Caller, if_match: IfMatch) -> Response:
        async def work(writing: Write) -> Thing:
            thing = await writing.transaction.get_thing(noun.table, thing_id)
            if_match.check(thing.revision)
            refuse_to_stay(machine, vars(thing)["status"], body.to)
            return await patch_thing(writing, noun, thing, {"status": body.to})

        async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
            return await answer_with(session, noun, models, thing.id)

        return await context.write(caller, work, answer, reason=body.reason)

    endpoint = with_parameters(
        move,
        named=f"move_{noun.name}",
        doc="409 says which transitions are allowed, or what this one still needs.",
        body=body_model,
    )
    router.post(
        "/{thing_id}/transitions",
        status_code=HTTPStatus.OK,
        summary=f"Move {noun.one} to another state",
        response_model=noun.item or models.shown,
    )(endpoint)

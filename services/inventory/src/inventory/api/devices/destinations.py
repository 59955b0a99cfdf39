"""/v1/destinations: adding and removing one, and its logins; the other routes are made from its declaration."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Reason, ReasonNeeded, WriteContext
from inventory.api.devices.secrets import OfSecret, Secret
from inventory.api.devices.serving import with_password
from inventory.api.nouns.models import models_of
from inventory.api.nouns.rules import make_thing, reason_needed
from inventory.api.nouns.writes import NOTHING, answer_with
from inventory.domain.devices.destination import NewDestination
from inventory.nouns.devices.declared import DESTINATION
from inventory.nouns.devices.destinations import DestinationResponse
from inventory.nouns.devices.secrets import READ_BACK_LOGIN
from inventory.nouns.writer import Write
from inventory.storage.deliveries import disconnect_all_cameras
from inventory.storage.queries.references import refuse_while_referred
from inventory.storage.tables import Camera, Delivery, Destination, Thing
from vonggac.auth import Caller, guarded_router
from vonggac.http.conditional import IfMatch
from vonggac.http.idempotency import KeptAnswer

router = guarded_router(prefix="/v1/destinations", tags=["destinations"])
_MODELS = models_of(DESTINATION)


class DestinationAdded(DestinationResponse):
    """A destination, and the password of a centre that pulls."""

    password: str | None = Field(
        default=None,
        description="Of a centre that pulls, in this answer alone: not in a repetition of it, and nowhere else. Who "
        "has lost it makes another one (POST …/rotate).",
    )


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a destination", response_model=DestinationAdded)
async def add_destination(
    body: NewDestination, context: WriteContext, caller: Caller, reason: Reason = None
) -> Response:
    """With an Idempotency-Key it is safe to send again. 422 names what does not fit, 409 what is taken.

    A centre that pulls gets its password here; one that came in bulk or with a file gets it by `rotate`.
    """
    password: str | None = None

    async def work(writing: Write) -> Thing:
        nonlocal password
        thing = await make_thing(writing, DESTINATION, body)
        password = writing.passwords.get(thing.id)
        return thing

    async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
        return await answer_with(session, DESTINATION, _MODELS, thing.id, created=True)

    response = await context.write(caller, work, answer, reason=reason)
    return with_password(response, password)


@router.delete("/{thing_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a destination", response_model=None)
async def remove_destination(
    thing_id: UUID,
    context: WriteContext,
    caller: Caller,
    if_match: IfMatch,
    reason: ReasonNeeded = None,
    disconnect_all: Annotated[
        bool, Query(alias="disconnect_all_cameras", description="Remove its deliveries too.")
    ] = False,
) -> Response:
    """409 while cameras are connected to it, unless `disconnect_all_cameras=true`."""

    async def work(writing: Write) -> None:
        transaction = writing.transaction
        destination = await transaction.get_thing(Destination, thing_id)
        if_match.check(destination.revision)
        if reason is None:
            raise reason_needed("removing the destination")
        if disconnect_all:
            await disconnect_all_cameras(transaction, destination)
        connected = Camera.id.in_(select(Delivery.camera_id).where(Delivery.destination_id == thing_id))
        await refuse_while_referred(transaction.session, Camera, "code", connected)
        await transaction.remove_thing(destination)

    async def answer(_session: AsyncSession, _nothing: None) -> KeptAnswer:
        return NOTHING

    return await context.write(caller, work, answer, reason=reason)


@router.put(
    "/{thing_id}/secret",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Write a destination's credentials",
    response_model=None,
)
async def write_destination_secret(thing_id: UUID, body: Secret, request: OfSecret) -> Response:
    """Seals them for the workers; nobody can read them back."""
    return await request.write(Destination, thing_id, body)


@router.delete(
    "/{thing_id}/secret",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Remove a destination's credentials",
    response_model=None,
)
async def remove_destination_secret(thing_id: UUID, request: OfSecret) -> Response:
    """Remove the secret: forwarders then publish without credentials."""
    return await request.remove(Destination, thing_id)


@router.put(
    "/{thing_id}/read-back-secret",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Write the credentials for reading back",
    response_model=None,
)
async def write_read_back_secret(thing_id: UUID, body: Secret, request: OfSecret) -> Response:
    """For a centre whose playback takes another login than publishing. Sealed as well."""
    return await request.write(Destination, thing_id, body, READ_BACK_LOGIN)


@router.delete(
    "/{thing_id}/read-back-secret",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Remove the credentials for reading back",
    response_model=None,
)
async def remove_read_back_secret(thing_id: UUID, request: OfSecret) -> Response:
    """Probers then read back with the login for publishing, at its own scheme, host and port alone."""
    return await request.remove(Destination, thing_id, READ_BACK_LOGIN)

"""Routes of credentials: they can be written and removed, never read."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import RequestContext, WriteContext
from inventory.domain.fields import Fields
from inventory.nouns.devices.secrets import LOGIN, SecretColumns, remove_secret, write_secret
from inventory.nouns.devices.serving import refuse_given_password
from inventory.nouns.writer import Write
from inventory.storage.tables import Camera, Destination
from vonggac.auth import Caller, Credentials, Principal
from vonggac.http.conditional import IfMatch, Precondition
from vonggac.http.idempotency import KeptAnswer

type Holder = type[Camera | Destination]


class Secret(Fields):
    """A login. It can be written, never read."""

    username: SecretStr = Field(min_length=1, max_length=256)
    password: SecretStr = Field(max_length=256, description="May be empty, where the device has none.")

    def credentials(self) -> Credentials:
        return Credentials(username=self.username.get_secret_value(), password=self.password.get_secret_value())


class SecretRequest:
    """A request about the credentials of one thing, with what is common to all of them."""

    def __init__(self, context: WriteContext, caller: Caller, if_match: IfMatch) -> None:
        self._context: RequestContext = context
        self._caller: Principal = caller
        self._if_match: Precondition = if_match

    async def write(self, kind: Holder, thing_id: UUID, secret: Secret, columns: SecretColumns = LOGIN) -> Response:
        """Seal and store a login."""

        async def work(writing: Write, thing: Camera | Destination) -> None:
            await write_secret(writing, thing, secret.credentials(), columns)

        return await self._do(kind, thing_id, columns, work)

    async def remove(self, kind: Holder, thing_id: UUID, columns: SecretColumns = LOGIN) -> Response:
        """Remove a login; without one, nothing changes."""

        async def work(writing: Write, thing: Camera | Destination) -> None:
            await remove_secret(writing, thing, columns)

        return await self._do(kind, thing_id, columns, work)

    async def _do(
        self,
        kind: Holder,
        thing_id: UUID,
        columns: SecretColumns,
        work: Callable[[Write, Camera | Destination], Awaitable[None]],
    ) -> Response:
        async def change(writing: Write) -> Camera | Destination:
            thing = await writing.transaction.get_thing(kind, thing_id)
            self._if_match.check(thing.revision)
            if isinstance(thing, Destination) and columns is LOGIN:
                refuse_given_password(thing)
            await work(writing, thing)
            return thing

        async def answer(session: AsyncSession, thing: Camera | Destination) -> KeptAnswer:
            await session.refresh(thing, ["revision"])
            return KeptAnswer(HTTPStatus.NO_CONTENT, {"ETag": thing.etag}, b"")

        return await self._context.write(self._caller, change, answer)


OfSecret = Annotated[SecretRequest, Depends(SecretRequest)]

"""Credentials of cameras and destinations: sealed when written, never shown."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import Field, SecretStr

from inventory.api.context import RequestContext
from inventory.domain.devices.addresses import Address
from inventory.domain.fields import Fields
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Destination
from vonggac.auth import Credentials, Principal, Right
from vonggac.http import ProblemError


class Secret(Fields):
    """A login. It can be written, never read."""

    username: SecretStr = Field(min_length=1, max_length=256)
    password: SecretStr = Field(max_length=256, description="May be empty, where the device has none.")


@dataclass(frozen=True, slots=True)
class SecretColumns:
    """The columns of one kind of secret."""

    sealed: str
    changed_at: str


LOGIN = SecretColumns("sealed_secret", "secret_changed_at")
READ_BACK_LOGIN = SecretColumns("sealed_read_back_secret", "read_back_secret_changed_at")


async def write_secret(
    context: RequestContext,
    transaction: WriteTransaction,
    thing: Camera | Destination,
    secret: Secret,
    columns: SecretColumns = LOGIN,
) -> None:
    """Seal and store the login; publishes the cameras concerned again."""
    context.check_if_match(thing)
    given = Credentials(username=secret.username.get_secret_value(), password=secret.password.get_secret_value())
    await transaction.change_thing(thing, sealed(context, transaction, given, columns))
    context.response.headers["ETag"] = f'"{thing.revision}"'


async def remove_secret(
    context: RequestContext, transaction: WriteTransaction, thing: Camera | Destination, columns: SecretColumns = LOGIN
) -> None:
    """Remove the login; without one, nothing changes."""
    context.check_if_match(thing)
    if getattr(thing, columns.sealed) is not None:
        await transaction.change_thing(thing, {columns.sealed: None, columns.changed_at: transaction.now})


def secret_of(
    context: RequestContext,
    transaction: WriteTransaction,
    caller: Principal,
    address: Address | None,
    columns: SecretColumns = LOGIN,
) -> dict[str, Any]:
    """The columns for the credentials in an address; empty when it has none.

    Raises ProblemError 403 when the caller may not write secrets.
    """
    if address is None or address.credentials is None:
        return {}
    may_write_secrets(caller)
    return sealed(context, transaction, address.credentials, columns)


def may_write_secrets(caller: Principal) -> None:
    """Raises ProblemError 403."""
    if not caller.may(Right.WRITE_SECRET):
        msg = f"the request holds credentials, which needs the right '{Right.WRITE_SECRET.value}'"
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", msg)


def sealed(
    context: RequestContext, transaction: WriteTransaction, credentials: Credentials, columns: SecretColumns = LOGIN
) -> dict[str, Any]:
    """The columns that hold sealed credentials."""
    return {columns.sealed: context.services.sealer.seal(credentials), columns.changed_at: transaction.now}

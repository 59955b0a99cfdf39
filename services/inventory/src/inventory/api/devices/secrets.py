"""Credentials of cameras and destinations: written, sealed, never read back."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import Field, SecretStr

from inventory.api.context import Edge
from inventory.domain.devices.addresses import Address
from inventory.domain.fields import Fields
from inventory.storage.store import Writing
from inventory.storage.tables import Camera, Destination
from vonggac.auth import Credentials, Principal, Right
from vonggac.http import ProblemError


class Secret(Fields):
    """A login. It can be written, never read."""

    username: SecretStr = Field(min_length=1, max_length=256)
    password: SecretStr = Field(max_length=256, description="May be empty, where the device has none.")


@dataclass(frozen=True, slots=True)
class SecretColumns:
    """Where one kind of secret is kept."""

    sealed: str
    changed_at: str


LOGIN = SecretColumns("sealed_secret", "secret_changed_at")
READ_BACK_LOGIN = SecretColumns("sealed_read_back_secret", "read_back_secret_changed_at")


async def write_secret(
    edge: Edge, writing: Writing, thing: Camera | Destination, secret: Secret, columns: SecretColumns = LOGIN
) -> None:
    """Seal and store; the cameras concerned are published anew."""
    edge.check_match(thing)
    given = Credentials(username=secret.username.get_secret_value(), password=secret.password.get_secret_value())
    await writing.change(thing, sealed(edge, writing, given, columns))
    edge.response.headers["ETag"] = f'"{thing.revision}"'


async def remove_secret(
    edge: Edge, writing: Writing, thing: Camera | Destination, columns: SecretColumns = LOGIN
) -> None:
    """Forget the credentials; removing what is not there changes nothing."""
    edge.check_match(thing)
    if getattr(thing, columns.sealed) is not None:
        await writing.change(thing, {columns.sealed: None, columns.changed_at: writing.now})


def secret_of(
    edge: Edge, writing: Writing, caller: Principal, address: Address | None, columns: SecretColumns = LOGIN
) -> dict[str, Any]:
    """The columns for credentials that stood in an address; none if there were none.

    Raises ProblemError 403 when the caller may not write secrets.
    """
    if address is None or address.credentials is None:
        return {}
    may_write_secrets(caller)
    return sealed(edge, writing, address.credentials, columns)


def may_write_secrets(caller: Principal) -> None:
    """Raises ProblemError 403."""
    if not caller.may(Right.WRITE_SECRET):
        msg = f"credentials were given, which needs the right '{Right.WRITE_SECRET.value}'"
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", msg)


def sealed(edge: Edge, writing: Writing, credentials: Credentials, columns: SecretColumns = LOGIN) -> dict[str, Any]:
    """The columns that hold sealed credentials."""
    return {columns.sealed: edge.services.sealer.seal(credentials), columns.changed_at: writing.now}

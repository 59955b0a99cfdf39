"""Credentials of cameras and destinations: sealed when written, never shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from inventory.domain.devices.addresses import GIVE_AGAIN, Address, check_networks, leads_elsewhere
from inventory.domain.devices.trust import Trust, check_trust_is_used
from inventory.nouns.writer import Write
from inventory.storage.conflicts import invalid, refuse_as_422
from inventory.storage.tables import Camera, Destination
from vonggac.auth import Credentials, Principal, Right
from vonggac.http import ProblemError
from vonggac.net.errors import MalformedError
from vonggac.net.origin import Origin


@dataclass(frozen=True, slots=True)
class SecretColumns:
    """The columns of one kind of secret."""

    sealed: str
    changed_at: str
    template: str
    """The destination's address that it belongs to."""

    def address_of(self, thing: Camera | Destination) -> str:
        """Return the column of the address that it belongs to."""
        return "url" if isinstance(thing, Camera) else self.template


LOGIN = SecretColumns("sealed_secret", "secret_changed_at", "url_template")
READ_BACK_LOGIN = SecretColumns("sealed_read_back_secret", "read_back_secret_changed_at", "read_back_url_template")


def parse_address(writing: Write, field: str, text: str, parse: Callable[[str], Address]) -> Address:
    """Parse and check the body's address. Raises ProblemError 422 that names `field`."""
    with refuse_as_422(field):
        address = parse(text)
        check_networks(address, writing.allowed)
        return address


def check_trust(trust: Trust | None, *urls: str | None) -> None:
    """Raise ProblemError 422 when trust is stated for addresses without TLS."""
    with refuse_as_422("tls"):
        check_trust_is_used(trust, urls)


def device_origins(expected: Mapping[str, Any] | None) -> tuple[Origin, ...]:
    """Where else a camera is asked with its login: its ONVIF service, if the survey noted one."""
    address = (expected or {}).get("onvif_address")
    try:
        return (Origin.of_device_service(address),) if address is not None else ()
    except MalformedError:
        return ()


async def write_secret(
    writing: Write, thing: Camera | Destination, given: Credentials, columns: SecretColumns = LOGIN
) -> None:
    """Seal and store the login; publishes the cameras concerned again.

    Raises ProblemError 422 when there is no address that the login could belong to.
    """
    url = getattr(thing, columns.address_of(thing))
    if url is None:
        raise invalid(columns.address_of(thing), "is not set: the credentials would belong to no address")
    try:
        origin = Origin.of(url)
    except MalformedError as error:
        raise invalid(columns.address_of(thing), error.message) from None
    others = device_origins(thing.expected) if isinstance(thing, Camera) else ()
    await writing.transaction.change_thing(thing, _sealed(writing, given, (origin, *others), columns))


async def remove_secret(writing: Write, thing: Camera | Destination, columns: SecretColumns = LOGIN) -> None:
    """Remove the login; without one, nothing changes."""
    if getattr(thing, columns.sealed) is not None:
        await writing.transaction.change_thing(
            thing, {columns.sealed: None, columns.changed_at: writing.transaction.now}
        )


def secret_of(
    writing: Write, address: Address | None, columns: SecretColumns = LOGIN, *, others: tuple[Origin, ...] = ()
) -> dict[str, Any]:
    """Seal the credentials in an address into columns; {} when it has none. `others`: as of `Sealer.seal`.

    Raises ProblemError 403 when the caller may not write secrets.
    """
    if address is None or address.credentials is None:
        return {}
    may_write_secrets(writing.caller)
    return _sealed(writing, address.credentials, (address.origin, *others), columns)


def refuse_to_move(thing: Camera | Destination, address: Address | None, columns: SecretColumns = LOGIN) -> None:
    """Raise ProblemError 422 when a stored login would go to another origin than it was given for."""
    if address is None or address.credentials is not None or getattr(thing, columns.sealed) is None:
        return
    column = columns.address_of(thing)
    if leads_elsewhere(getattr(thing, column), address.url):
        raise invalid(column, GIVE_AGAIN)


def may_write_secrets(caller: Principal) -> None:
    """Raise ProblemError 403 unless the caller may write secrets."""
    if not caller.may(Right.WRITE_SECRET):
        msg = f"the request holds credentials, which needs the right '{Right.WRITE_SECRET.value}'"
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", msg)


def _sealed(
    writing: Write,
    credentials: Credentials,
    origins: tuple[Origin, *tuple[Origin, ...]],
    columns: SecretColumns,
) -> dict[str, Any]:
    """Seal credentials into the columns that hold them."""
    return {columns.sealed: writing.sealer.seal(credentials, *origins), columns.changed_at: writing.transaction.now}

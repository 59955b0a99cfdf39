"""How destinations are written: addresses apart from their credentials, for publishing and for reading back."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import AwareDatetime, BaseModel, Field

from inventory.domain.devices.addresses import Address, parse_read_back_template, parse_url_template
from inventory.domain.devices.destination import (
    PUBLIC_PATH_FIELD,
    DestinationFields,
    NewDestination,
    check_no_stream_key,
    check_provable,
)
from inventory.domain.devices.serving import Serving
from inventory.domain.devices.trust import Trust
from inventory.nouns.devices.secrets import (
    LOGIN,
    READ_BACK_LOGIN,
    check_trust,
    parse_address,
    refuse_to_move,
    secret_of,
)
from inventory.nouns.devices.serving import (
    MADE_BY_US,
    PART_OF_ADDRESSES,
    check_enhanced,
    check_new,
    check_serving,
    is_served,
    merge_serving,
    refuse_serving,
    served_columns,
)
from inventory.nouns.shown import Shown
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import invalid, refuse_as_422
from inventory.storage.deliveries import connect_all_cameras
from inventory.storage.tables import Destination, Thing
from vonggac.events.inventory import DestinationMode, DestinationRole, RequiredProof

_TEMPLATES = {"url_template": LOGIN, "read_back_url_template": READ_BACK_LOGIN}
"""Fields that hold an address, each with the columns of the login that may be in it."""
_PARSE = {"url_template": parse_url_template, "read_back_url_template": parse_read_back_template}


class DestinationResponse(Shown):
    """One destination."""

    code: str
    name: str
    role: DestinationRole
    mode: DestinationMode
    account: str | None = Field(description="Of a centre that pulls: its user name.")
    url_template: str = Field(description="Of a centre that pulls served://code/{camera_code}, which nobody types in.")
    read_back_url_template: str | None
    required_proof: RequiredProof
    enabled: bool
    tls: Trust | None
    enhanced_rtmp: bool
    serving: Serving | None
    has_secret: bool
    secret_changed_at: AwareDatetime | None
    has_read_back_secret: bool = Field(
        description="Without one, the login for publishing reads back at the same scheme, host and port, and no login "
        "anywhere else."
    )
    read_back_secret_changed_at: AwareDatetime | None
    previous_secret_until: AwareDatetime | None = Field(
        description="Of a centre that pulls: until when the password before the last rotation works too."
    )


class DestinationWriter(Writer):
    """Credentials in an address are sealed; a login stays at the address that it was given for."""

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Cameras added later are connected to every enabled destination by default."""
        given = cast("NewDestination", fields)
        check_new(given)
        served, password = await served_columns(writing, given) if given.mode is DestinationMode.SERVE else ({}, None)
        addresses = _addresses(writing, given.model_dump(include=set(_TEMPLATES) - served.keys()))
        _check(given, addresses.get("url_template"), addresses["read_back_url_template"])
        _check_keys(addresses, None, is_no_secret=given.path_is_no_secret)
        values = given.model_dump(exclude={*_TEMPLATES, "connect_all_cameras", PUBLIC_PATH_FIELD})
        destination = Destination(**values | _columns(writing, addresses) | served)
        await writing.transaction.add_thing(destination)
        if password is not None:
            writing.passwords[destination.id] = password
        if given.connect_all_cameras:
            await connect_all_cameras(writing.transaction, destination)
        return destination

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Change the destination, and publish every camera connected to it again."""
        destination = cast("Destination", thing)
        patch = _with_mode(destination, patch)
        addresses = _addresses(writing, patch)
        for name, columns in _TEMPLATES.items():
            refuse_to_move(destination, addresses.get(name), columns)
        _check_keys(addresses, destination, is_no_secret=bool(patch.get(PUBLIC_PATH_FIELD)))
        stated = {name: value for name, value in patch.items() if name not in {*_TEMPLATES, PUBLIC_PATH_FIELD}}
        merged = merge(DestinationFields, destination, stated)
        if is_served(destination) and merged.serving is not None:
            check_serving(merged.serving)
            check_enhanced(enhanced_rtmp=merged.enhanced_rtmp)
        _check(merged, *(addresses.get(name, getattr(destination, name)) for name in _TEMPLATES))
        values = merged.model_dump() | _columns(writing, addresses)
        if merged.serving is not None:
            values["serving"] = merged.serving.model_dump(mode="json")
        await writing.transaction.change_thing(destination, values)


def _with_mode(destination: Destination, patch: Mapping[str, Any]) -> dict[str, Any]:
    """Check the patch against who opens the session, and return it. Raises ProblemError 422."""
    given = dict(patch)
    if not is_served(destination):
        refuse_serving(given.get("serving"))
        if "url_template" in given and given["url_template"] is None:
            raise invalid("url_template", "is missing: give the address at which the centre receives its cameras")
        return given
    if given.pop("url_template", None) not in {None, destination.url_template}:
        raise invalid("url_template", MADE_BY_US)
    if given.get("code", destination.code) != destination.code:
        raise invalid("code", PART_OF_ADDRESSES)
    if "serving" in given:
        given["serving"] = merge_serving(destination.serving or {}, given["serving"])
    return given


def _addresses(writing: Write, given: Mapping[str, Any]) -> dict[str, Address | None]:
    """Parse and check the templates that are given. Raises ProblemError 422."""
    return {
        name: parse_address(writing, name, given[name], parse) if given[name] is not None else None
        for name, parse in _PARSE.items()
        if name in given
    }


def _check(fields: DestinationFields, publish: Address | str | None, read_back: Address | str | None) -> None:
    """Rules between fields. Raises ProblemError 422."""
    urls = [address.url if isinstance(address, Address) else address for address in (publish, read_back)]
    check_trust(fields.tls, *urls)
    with refuse_as_422("read_back_url_template"):
        check_provable(fields.required_proof, urls[1])


def _check_keys(addresses: Mapping[str, Address | None], before: Destination | None, *, is_no_secret: bool) -> None:
    """Raise ProblemError 422, naming the address, where one seems to hold a stream key."""
    for name, address in addresses.items():
        with refuse_as_422(name):
            url = address.url if address is not None else None
            check_no_stream_key(name, url, before=getattr(before, name, None), is_no_secret=is_no_secret)


def _columns(writing: Write, addresses: Mapping[str, Address | None]) -> dict[str, Any]:
    """Convert the templates, and the credentials that were in them, to columns."""
    columns: dict[str, Any] = {}
    for name, address in addresses.items():
        columns[name] = address.url if address is not None else None
        columns |= secret_of(writing, address, _TEMPLATES[name])
    return columns

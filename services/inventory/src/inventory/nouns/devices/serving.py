"""How the login of a centre that pulls is made: by us, sealed to the workers, shown to nobody twice."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import func, select

from inventory.domain.devices.destination import NewDestination
from inventory.domain.devices.serving import Serving, find_faults, new_password
from inventory.nouns.devices.secrets import may_write_secrets
from inventory.nouns.writer import Write
from inventory.storage.conflicts import field_conflict, invalid
from inventory.storage.tables import Destination
from vonggac.auth import Credentials
from vonggac.events.inventory import DestinationMode, served_url
from vonggac.http import FieldError, ProblemError
from vonggac.http.problems import refuse_fields
from vonggac.net.origin import Origin

MADE_BY_US = "is made by the register where the centre pulls: leave it out"
NOT_SERVED = "the centre is pushed to: it pulls nothing here, and its credentials are its own (PUT …/secret)"
PART_OF_ADDRESSES = (
    "is part of the addresses that the centre has typed in, and of its password: add another destination, and disable "
    "this one once the centre pulls there"
)


def template_of(code: str) -> str:
    """Build the address that each camera of a centre that pulls has in its plan."""
    return served_url(code, "{camera_code}")


def is_served(destination: Destination) -> bool:
    """Whether the centre pulls."""
    return destination.mode is DestinationMode.SERVE


def check_new(given: NewDestination) -> None:
    """Rules between the mode and the other fields. Raises ProblemError 422."""
    if given.mode is DestinationMode.PUSH:
        refuse_serving(given.serving, account=given.account)
        if given.url_template is None:
            raise invalid("url_template", "is missing: give the address at which the centre receives its cameras")
        return
    if given.url_template not in {None, template_of(given.code)}:
        raise invalid("url_template", MADE_BY_US)
    if given.serving is None:
        raise invalid("serving", "is missing: say from which networks the centre connects (source_networks)")
    check_serving(given.serving)
    check_enhanced(enhanced_rtmp=given.enhanced_rtmp)


def check_enhanced(*, enhanced_rtmp: bool) -> None:
    """Raise ProblemError 422 for enhanced RTMP of a centre that pulls."""
    if enhanced_rtmp:
        raise invalid("enhanced_rtmp", "is of RTMP, and a centre that pulls does so over RTSP: leave it out")


def refuse_serving(serving: Serving | None, *, account: str | None = None) -> None:
    """Raise ProblemError 422 for what only a centre that pulls has."""
    for name, value in (("serving", serving), ("account", account)):
        if value is not None:
            raise invalid(name, "is for a centre that pulls: leave it out, or add it with mode 'serve'")


def check_serving(serving: Serving) -> None:
    """Raise ProblemError 422 that names every field that does not fit."""
    errors = [FieldError(field=f"serving.{name}", message=message) for name, message in find_faults(serving)]
    if errors:
        raise refuse_fields(errors)


def merge_serving(before: Mapping[str, Any], patch: Serving | Mapping[str, Any] | None) -> dict[str, Any]:
    """Merge `patch` over what is stated of how a centre pulls. Raises ProblemError 422."""
    if patch is None:
        raise invalid("serving", "is missing: say from which networks the centre connects (source_networks)")
    given = patch.model_dump(exclude_unset=True) if isinstance(patch, Serving) else patch
    return {**before, **given}


async def served_columns(writing: Write, given: NewDestination) -> tuple[dict[str, Any], str]:
    """Build the columns of a new centre that pulls, and its password, which stands in none of them.

    Raises ProblemError: 403 when the caller may not write secrets, 409 when the account is another centre's.
    """
    may_write_secrets(writing.caller)
    account = given.account or given.code.lower()
    other = select(Destination.code).where(func.lower(Destination.account) == account)
    if (code := await writing.transaction.session.scalar(other)) is not None:
        raise field_conflict("account", f"is the account of destination {code}: two centres never share one")
    password = new_password()
    serving = given.serving.model_dump(mode="json") if given.serving is not None else None
    columns = {"account": account, "url_template": template_of(given.code), "serving": serving}
    return columns | _sealed(writing, given.code, account, password), password


async def rotate_password(writing: Write, destination: Destination, overlap: timedelta) -> str:
    """Make a new password; the old one works for `overlap` more.

    Raises ProblemError 409 where the centre is pushed to.
    """
    refuse_unless_served(destination)
    assert destination.account is not None
    password, old = new_password(), destination.sealed_secret
    kept = {
        "sealed_previous_secret": old if overlap else None,
        "previous_secret_until": writing.transaction.now + overlap if overlap and old is not None else None,
    }
    sealed = _sealed(writing, destination.code, destination.account, password)
    await writing.transaction.change_thing(destination, sealed | kept)
    return password


def refuse_unless_served(destination: Destination) -> None:
    """Raise ProblemError 409 unless the centre pulls."""
    if not is_served(destination):
        raise ProblemError(HTTPStatus.CONFLICT, "not_served", NOT_SERVED)


def refuse_given_password(destination: Destination) -> None:
    """Raise ProblemError 409 where the password is made by us."""
    if is_served(destination):
        msg = "the centre pulls: its password is made here (POST …/rotate), and nobody gives another one"
        raise ProblemError(HTTPStatus.CONFLICT, "made_here", msg)


def _sealed(writing: Write, code: str, account: str, password: str) -> dict[str, Any]:
    # The second is how earlier workers spell the first: they open it, and say that they serve nothing.
    origins = (Origin.of(served_url(code)), Origin.at("served", code, None))
    sealed = writing.sealer.seal(Credentials(account, password), *origins)
    return {"sealed_secret": sealed, "secret_changed_at": writing.transaction.now}

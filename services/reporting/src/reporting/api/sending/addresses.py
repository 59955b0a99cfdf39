"""What webhooks and channels have in common: the seal, the check of an address, an answer with its ETag."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Response
from httpx import URL, InvalidURL
from pydantic import AfterValidator, BaseModel

from reporting.api.parameters import Context
from reporting.domain.instants import VIETNAM
from reporting.feeds.sealing import Seal
from reporting.feeds.tasks import FeedTasks
from vonggac.events.causes import Cause
from vonggac.http import FieldError, ProblemError
from vonggac.http.conditional.etags import etag_of
from vonggac.http.problems import refuse_fields
from vonggac.net.address_secrets import key_like_segments, secret_parameters
from vonggac.net.allowed_networks import resolve
from vonggac.net.errors import PeerError

RESOLVED_WITHIN_S = 3.0
MOST_PORT = 65535

Shown = Annotated[datetime, AfterValidator(lambda at: at.astimezone(VIETNAM))]
"""An instant as it is shown, with +07:00."""


def feed_tasks_of(shared: Context) -> FeedTasks:
    """Return the tasks that send, to be woken."""
    assert shared.feed_tasks is not None, "the app gives it"
    return shared.feed_tasks


def seal_of(shared: Context) -> Seal:
    """Return the seal of the service. Raises ProblemError 409 when it has none."""
    if shared.seal is None:
        msg = "this service has no key to seal secrets: set VONGGAC_REPORTING_SECRETS_KEY_FILE and start it again"
        raise ProblemError(HTTPStatus.CONFLICT, "no_key", msg)
    return shared.seal


async def checked_url(shared: Context, field: str, given: str, *, path_is_no_secret: bool) -> URL:
    """Check an address for messages that everybody reads. Raises ProblemError 422 naming `field`, never quoting it."""
    try:
        url = URL(given)
    except InvalidURL:
        raise _refuse(field, "is no address; write it like https://10.20.0.5/hooks/vong-gac") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise _refuse(field, "must begin with https:// or http:// and have a host")
    if url.userinfo:
        raise _refuse(field, "must not hold a user or password: it is shown; messages are signed instead")
    if url.port is not None and not 0 < url.port <= MOST_PORT:
        raise _refuse(field, f"has a port that is not between 1 and {MOST_PORT}")
    if url.fragment:
        raise _refuse(field, "must not have a fragment (#)")
    _check_no_secret(field, url.raw_path.decode(), path_is_no_secret=path_is_no_secret)
    await check_host(shared, field, url.host, url.port or (443 if url.scheme == "https" else 80))
    return url


async def check_host(shared: Context, field: str, host: str, port: int) -> None:
    """Refuse a host outside the allowed networks; a name that has no address now is checked when it is sent to.

    Raises ProblemError 422 naming `field`.
    """
    try:
        await resolve(host, port, shared.settings.allowed, timeout_s=RESOLVED_WITHIN_S)
    except PeerError as error:
        if error.cause is Cause.ADDRESS_NOT_ALLOWED:
            networks = ", ".join(shared.settings.allowed_networks)
            raise _refuse(field, f"leads to an address outside the allowed networks ({networks})") from None


def show(shape: BaseModel, revision: int, status: HTTPStatus = HTTPStatus.OK, location: str | None = None) -> Response:
    """Answer with a record, its revision as ETag."""
    headers = {"ETag": etag_of(revision)} | ({} if location is None else {"Location": location})
    return Response(shape.model_dump_json(), status, headers=headers, media_type="application/json")


def _check_no_secret(field: str, target: str, *, path_is_no_secret: bool) -> None:
    for name, value in secret_parameters(target):
        if value:
            raise _refuse(field, f"holds a secret in '{name}=': leave it out, it is shown; messages are signed instead")
    if not path_is_no_secret and key_like_segments(target):
        raise _refuse(
            field,
            "has a part that looks like a key, and it is shown: leave it out, messages are signed instead; if it is no "
            "secret, say path_is_no_secret: true",
        )


def _refuse(field: str, message: str) -> ProblemError:
    return refuse_fields([FieldError(field=field, message=message)])

"""Guarding FastAPI routes: every route names the right it needs."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import Scope

from vonggac.auth.key_set import KeysUnavailableError
from vonggac.auth.rights import Principal, Right
from vonggac.auth.tokens import TokenError, TokenVerifier
from vonggac.http.problems import ProblemError
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)
_bearer = HTTPBearer(auto_error=False, description="A JWT signed by the platform or its OIDC provider.")
_CALLER = "vonggac.caller"


def install_authentication(app: FastAPI, verifier: TokenVerifier) -> None:
    """Make `verifier` the one that knows the callers of this app, before any route is chosen."""

    async def authenticate(scope: Scope) -> None:
        given = Headers(scope=scope).getlist("authorization")
        scheme, token = get_authorization_scheme_param(given[0] if given else None)
        if len(given) > 1 or scheme.lower() != "bearer" or not token:
            raise _unauthorised("send a bearer token in the Authorization header")
        try:
            scope[_CALLER] = await verifier.verify(token)
        except TokenError as error:
            raise _unauthorised(str(error)) from None
        except KeysUnavailableError as error:
            # Not the caller's fault, and another token does not help.
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, "keys_unavailable", str(error), headers={"Retry-After": "10"}
            ) from None

    app.state.authenticate = authenticate


async def _caller(
    request: Request, _given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    # Routes outside the guarded paths may want a caller too.
    if _CALLER not in request.scope:
        await request.app.state.authenticate(request.scope)
    caller: Principal = request.scope[_CALLER]
    return caller


Authenticated = Annotated[Principal, Depends(_caller)]


def require(right: Right) -> Callable[..., Coroutine[Any, Any, Principal]]:
    """A dependency that admits only callers with `right`; denials are logged with who and what."""

    async def check(request: Request, caller: Authenticated) -> Principal:
        if not caller.may(right):
            log.warning("access_denied", subject=caller.subject, right=right.value, path=request.url.path)
            msg = f"this needs the right '{right.value}', which the token's roles do not carry"
            raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", msg)
        return caller

    return check


def _unauthorised(detail: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        detail,
        headers={"WWW-Authenticate": 'Bearer realm="vong-gac"'},
    )

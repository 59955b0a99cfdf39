"""Guarding FastAPI routes: every route names the right it needs."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from vonggac.auth.rights import Principal, Right
from vonggac.auth.tokens import TokenError, TokenVerifier
from vonggac.http.problems import ProblemError
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)
_bearer = HTTPBearer(auto_error=False, description="A JWT signed by the platform or its OIDC provider.")


def install_authentication(app: FastAPI, verifier: TokenVerifier) -> None:
    """Make `verifier` the one that `require` uses in this app."""
    app.state.token_verifier = verifier


async def _caller(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    if given is None:
        raise _unauthorised("send a bearer token in the Authorization header")
    verifier: TokenVerifier = request.app.state.token_verifier
    try:
        return await verifier.verify(given.credentials)
    except TokenError as error:
        raise _unauthorised(str(error)) from None


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

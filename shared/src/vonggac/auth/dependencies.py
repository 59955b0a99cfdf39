"""Guarding FastAPI routes: the policy says which rights each needs, and a route without an entry stops the start."""

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import Scope

from vonggac.auth.key_set import KeysUnavailableError
from vonggac.auth.links import FindLink, digest_link_token, is_link_token
from vonggac.auth.policy.duties import refuse_act
from vonggac.auth.policy.entry import Entry, Reach
from vonggac.auth.rights import Principal, Right
from vonggac.auth.tokens import TokenError, TokenVerifier
from vonggac.auth.wrong_tokens import WrongTokens
from vonggac.events.inventory import Act
from vonggac.http.lists.parameters import check_query_parameters
from vonggac.http.openapi.document import operation_id
from vonggac.http.problems import ProblemError
from vonggac.http.protection.callers import is_guarded
from vonggac.http.protection.json_body import JsonRoute
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)
_bearer = HTTPBearer(auto_error=False, description="A JWT signed by the platform or its OIDC provider.")
_CALLER = "vonggac.caller"


type Follow = Callable[[frozenset[UUID]], Awaitable[frozenset[UUID]]]
"""The units that lie in these by now, these included (`vonggac.auth.succession`)."""


def install_authentication(
    app: FastAPI,
    verifier: TokenVerifier,
    policy: Iterable[Entry],
    *,
    follow_units: Follow | None = None,
    find_link: FindLink | None = None,
) -> None:
    """Make `verifier` the one that knows the callers of this app, before any route is chosen.

    The routes that are added after it are guarded by `policy`; `check_policy` is called when all of them are there.
    `follow_units`: of a service that compares scopes with its register itself; `find_link`: of the one that has links.
    """

    async def authenticate(scope: Scope) -> None:
        given = Headers(scope=scope).getlist("authorization")
        scheme, token = get_authorization_scheme_param(given[0] if given else None)
        if len(given) > 1 or scheme.lower() != "bearer" or not token:
            raise _unauthorised("send a bearer token in the Authorization header")
        if find_link is not None and is_link_token(token):
            known = await find_link(digest_link_token(token))
            if known is None:
                refusal = _unauthorised("the link is over or revoked; ask whoever gave it for a new one")
                raise refuse_wrong(verifier.wrong_tokens, scope, refusal)
            scope[_CALLER] = known
            return
        try:
            scope[_CALLER] = await verifier.verify(token)
        except TokenError as error:
            raise refuse_wrong(verifier.wrong_tokens, scope, _unauthorised(str(error))) from None
        except KeysUnavailableError as error:
            # Not the caller's fault, and another token does not help.
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, "keys_unavailable", str(error), headers={"Retry-After": "10"}
            ) from None

    app.state.authenticate, app.state.follow_units = authenticate, follow_units
    app.state.policy = {entry.key: entry for entry in policy}
    # First of all: who may not call learns nothing of what else is wrong.
    app.router.dependencies.insert(0, Depends(_authorise))


def guarded_router(prefix: str = "", *, tags: Iterable[str] = ()) -> APIRouter:
    """Build a router whose routes admit callers by the policy of their app. `add_routes` puts them into it."""
    return APIRouter(
        prefix=prefix,
        tags=list(tags),
        dependencies=[Depends(_authorise), Depends(check_query_parameters)],
        generate_unique_id_function=operation_id,
        route_class=JsonRoute,
    )


def add_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Put the routes of guarded routers into `app` as they are.

    `include_router` makes every route a second time: for inventory's 350 a second, and 15 MB.
    Raises ValueError that names a route of another router: it would admit everybody.
    """
    for router in routers:
        for route in router.routes:
            if not isinstance(route, APIRoute) or all(one.dependency is not _authorise for one in route.dependencies):
                msg = f"{getattr(route, 'path', route)} admits everybody: make its router with guarded_router"
                raise ValueError(msg)
        app.router.routes.extend(router.routes)


def check_policy(app: FastAPI) -> None:
    """Check the policy. Raises ValueError that names routes without an entry, and entries without a route."""
    routes, entries = set(guarded_routes(app)), set(app.state.policy)
    wrong = [f"{method} {path} has no entry" for method, path in sorted(routes - entries)]
    wrong += [f"{method} {path} is an entry without a route" for method, path in sorted(entries - routes)]
    if wrong:
        msg = f"the policy (vonggac.auth.policy) does not fit the routes: {'; '.join(wrong)}"
        raise ValueError(msg)


def guarded_routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """List method and path of every route that needs a caller."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and is_guarded(route.path):
            yield from ((method, route.path) for method in sorted(route.methods or ()))


async def _caller(
    request: Request, _given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    # Routes outside the guarded paths may want a caller too.
    if _CALLER not in request.scope:
        await request.app.state.authenticate(request.scope)
    caller: Principal = request.scope[_CALLER]
    follow: Follow | None = request.app.state.follow_units
    if follow is not None and caller.scope is not None and caller.scope.units:
        caller = replace(caller, scope=replace(caller.scope, units=await follow(caller.scope.units)))
    return caller


Caller = Annotated[Principal, Depends(_caller)]


async def _authorise(request: Request, caller: Caller) -> None:
    """Admit only callers with every right of the route's entry; denials are logged with who and what."""
    route: APIRoute = request.scope["route"]
    entry: Entry = request.app.state.policy[request.method, route.path]
    if caller.link is not None and not entry.by_link:
        raise _refuse_link(request, caller)
    for right in entry.rights:
        if right is Right.DECIDE and entry.act is not None:
            demand_act(request.url.path, caller, entry.act)
        else:
            demand(request, caller, right)
    if entry.reach is Reach.PROVINCE:
        demand_province(request, caller, "this concerns the province as a whole")


def demand(request: Request, caller: Principal, right: Right, why: str | None = None) -> None:
    """Demand `right` of the caller. Raises ProblemError 403. `why`: what of the request needs it, "a file needs …"."""
    if caller.may(right):
        return
    log.warning("access_denied", subject=caller.subject, right=right.value, path=request.url.path)
    msg = caller.why_not(right) if why is None else f"{why}: {caller.why_not(right)}"
    raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", msg)


def demand_act(path: str, caller: Principal, act: Act, *, owed_by: UUID | None = None, by_lead: bool = False) -> None:
    """Demand that the caller decides `act`. Raises ProblemError 403 with which duty, who holds it, what is right.

    `path`: of the request, or what it writes; `owed_by` and `by_lead`: as of `refuse_act`.
    """
    refusal = refuse_act(act, caller, owed_by=owed_by, by_lead=by_lead)
    if refusal is None:
        return
    log.warning("access_denied", subject=caller.subject, right=act.value, path=path)
    raise ProblemError(HTTPStatus.FORBIDDEN, refusal.code, refusal.detail, detail_vi=refusal.detail_vi)


def demand_province(request: Request, caller: Principal, why: str) -> None:
    """Refuse a token with a scope. Raises ProblemError 403. `why`: what cannot be narrowed, "this concerns …"."""
    if caller.scope is None:
        return
    log.warning("access_denied", subject=caller.subject, right="whole province", path=request.url.path)
    msg = f"{why}, and the token is for a part of the province (docs/reference/permissions.md)"
    raise ProblemError(HTTPStatus.FORBIDDEN, "scope_too_narrow", msg)


def refuse_wrong(wrong_tokens: WrongTokens, scope: Scope, refusal: ProblemError) -> ProblemError:
    """Count a wrong token or password of this caller's address; return `refusal`, or 429 when there were too many."""
    client = scope.get("client")
    wait_s = wrong_tokens.count(client[0]) if client else None
    return refusal if wait_s is None else _too_many(wait_s)


def _too_many(wait_s: float) -> ProblemError:
    msg = f"too many wrong tokens or passwords from this address; a wrong one is read again in {math.ceil(wait_s)} s"
    headers = {"Retry-After": str(math.ceil(wait_s))}
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_wrong_tokens", msg, headers=headers)


def _refuse_link(request: Request, caller: Principal) -> ProblemError:
    log.warning("access_denied", subject=caller.subject, right="link", path=request.url.path)
    msg = (
        "a facility's link opens its survey form, visits, focal points, requests for information and answers to urges, "
        "and nothing else; use a token of your own"
    )
    vietnamese = (
        "liên kết của cơ sở chỉ dùng cho phiếu khảo sát, lịch làm việc, cán bộ đầu mối, trả lời yêu cầu thông tin "
        "và trả lời đôn đốc; việc khác phải dùng tài khoản của mình"
    )
    return ProblemError(HTTPStatus.FORBIDDEN, "link_too_narrow", msg, detail_vi=vietnamese)


def _unauthorised(detail: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        detail,
        headers={"WWW-Authenticate": 'Bearer realm="vong-gac"'},
    )

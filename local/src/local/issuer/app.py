"""The routes of an OIDC provider (discovery, authorize, token, keys, end of session), with a list in place of a login.

Start: reads the keys. Stop: forgets what it gave out, so that everybody signs in again.
"""

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

import jwt
from fastapi import FastAPI, Query
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from local.issuer.grants import Grant, Grants, Request
from local.issuer.people import DemoPerson, find_people
from local.issuer.settings import IssuerSettings
from vonggac.auth.keys import JWKS, signing_key, token_issuer

CLIENT = "vong-gac-console"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(settings: IssuerSettings) -> FastAPI:
    """Create the app. Raises OSError when there are no keys in the folder, ValueError when they are none."""
    issuer, key, grants = token_issuer(settings.keys), signing_key(settings.keys), Grants()
    keys = (settings.keys / JWKS).read_text("utf-8")
    key_id = jwt.PyJWKSet.from_json(keys).keys[0].key_id
    app = FastAPI(title="Embedded issuer", docs_url=None, redoc_url=None, openapi_url=None)

    _add_fixed_routes(app, settings, keys)

    @app.get("/authorize")
    async def authorize(request: HttpRequest, person: Annotated[str | None, Query()] = None) -> Response:
        asked = _request_of(dict(request.query_params), settings)
        if isinstance(asked, str):
            return HTMLResponse(_page(f"<p>{escape(asked)}</p>"), status_code=400, headers=HEADERS)
        people = await find_people(settings.inventory_url, issuer)
        chosen = next((each for each in people if each.subject == person), None)
        if chosen is None:
            return HTMLResponse(_page(_choices(people, request)), headers=HEADERS)
        code = grants.give_code(chosen, asked)
        answer = urlencode({"code": code, "state": asked.state})
        return RedirectResponse(f"{asked.redirect_uri}?{answer}", status_code=303, headers=HEADERS)

    @app.post("/token")
    async def token(request: HttpRequest) -> JSONResponse:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        grant = _grant_of(form, grants, settings)
        if grant is None:
            return JSONResponse({"error": "invalid_grant"}, status_code=400, headers=HEADERS)
        person, life = grant.person, timedelta(seconds=settings.access_s)
        access = issuer.issue(
            subject=person.subject,
            roles=person.roles,
            valid_for=life,
            scope=person.scope,
            agency=person.agency,
            name=person.full_name or person.name,
            post=person.post,
        )
        identity = jwt.encode(_claims(grant, settings.address, life), key, algorithm="EdDSA", headers={"kid": key_id})
        body = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(settings.access_s),
            "refresh_token": grants.give_refresh(grant),
            "id_token": identity,
        }
        return JSONResponse(body, headers=HEADERS)

    return app


def _add_fixed_routes(app: FastAPI, settings: IssuerSettings, keys: str) -> None:
    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return _discovery(settings.address)

    @app.get("/jwks.json")
    async def jwks() -> Response:
        return Response(keys, media_type="application/json")

    @app.get("/end-session")
    async def end_session(post_logout_redirect_uri: Annotated[str | None, Query()] = None) -> Response:
        to = post_logout_redirect_uri or ""
        if not to.startswith(settings.console_url + "/"):
            to = settings.console_url + "/"
        return RedirectResponse(to, status_code=303, headers=HEADERS)


def _discovery(address: str) -> dict[str, Any]:
    return {
        "issuer": address,
        "authorization_endpoint": address + "/authorize",
        "token_endpoint": address + "/token",
        "jwks_uri": address + "/jwks.json",
        "end_session_endpoint": address + "/end-session",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    }


def _request_of(given: dict[str, str], settings: IssuerSettings) -> Request | str:
    """Parse what the console asks, or say what is wrong with it: nothing is sent to an address that is not the
    console's."""
    if given.get("redirect_uri") != settings.callback:
        return f"redirect_uri must be {settings.callback}"
    if given.get("client_id") != CLIENT or given.get("response_type") != "code":
        return f"client_id must be {CLIENT}, response_type code"
    if given.get("code_challenge_method") != "S256" or not given.get("code_challenge"):
        return "PKCE with S256 is needed: code_challenge, code_challenge_method"
    if not given.get("state") or not given.get("nonce"):
        return "state and nonce are needed"
    return Request(CLIENT, given["redirect_uri"], given["state"], given["nonce"], given["code_challenge"])


def _grant_of(form: dict[str, str], grants: Grants, settings: IssuerSettings) -> Grant | None:
    client = form.get("client_id", "")
    if form.get("grant_type") == "refresh_token":
        return grants.use_refresh(form.get("refresh_token", ""), client)
    if form.get("grant_type") != "authorization_code" or form.get("redirect_uri") != settings.callback:
        return None
    return grants.use_code(form.get("code", ""), form.get("code_verifier", ""), client)


def _claims(grant: Grant, address: str, life: timedelta) -> dict[str, Any]:
    now = datetime.now(UTC)
    claims: dict[str, Any] = {
        "iss": address,
        "aud": grant.client_id,
        "sub": grant.person.subject,
        "name": grant.person.name,
        "iat": now,
        "exp": now + life,
    }
    return claims | ({"nonce": grant.nonce} if grant.nonce is not None else {})


def _choices(people: list[DemoPerson], request: HttpRequest) -> str:
    given = dict(request.query_params)
    rows = "\n".join(
        f'<li><a href="/authorize?{escape(urlencode({**given, "person": each.subject}))}">{escape(each.name)}</a> '
        f"<small>{escape(', '.join(sorted(role.value for role in each.roles)))}</small></li>"
        for each in people
    )
    return f"<p>Máy này chạy thử: chọn người để vào. / A trial on this machine: choose who to be.</p><ul>{rows}</ul>"


def _page(content: str) -> str:
    return (
        '<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>Vọng Gác: chọn người</title><style>body{font:1.1rem/1.45 system-ui,sans-serif;margin:1.5rem;"
        "max-width:44rem}li{margin:.3rem 0}a{display:inline-block;padding:.6rem 0}</style></head><body>"
        f"<h1>Vọng Gác</h1>{content}</body></html>"
    )

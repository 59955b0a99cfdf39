"""`/sign-in`, `/sign-in/callback`, `/sign-out`: to the provider, back with a code, and away."""

import hmac
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from nats.errors import Error as NatsError

from console.drawing.page import render
from console.sign_in.code_flow import CodeFlow, Pending
from console.sign_in.cookies import Cookies
from console.sign_in.provider import ProviderAwayError, SignInRefusedError
from console.sign_in.required import own_path, visitors_of
from console.sign_in.sessions import NoRoomError, Session
from console.sign_in.visitor import NoRoomForSessionsError, SessionsAwayError
from vonggac.telemetry import get_logger

log = get_logger(__name__)
router = APIRouter()

AT_PROVIDER_S = 600.0
"""So long a person may take to sign in."""


@router.get("/sign-in")
async def begin_sign_in(request: Request, to: Annotated[str | None, Query()] = None) -> Response:
    """To the provider, with what its answer has to fit kept in a cookie."""
    cookies: Cookies = request.app.state.cookies
    flow: CodeFlow = request.app.state.flow
    try:
        address, pending = await flow.begin(own_path(to))
    except ProviderAwayError:
        return render(request, "sign_in/away.html", status=503, to=own_path(to))
    response = RedirectResponse(address, status_code=303)
    cookies.write(response, cookies.pending, pending.to_cookie(), within_s=AT_PROVIDER_S)
    return response


@router.get("/sign-in/callback")
async def finish_sign_in(
    request: Request,
    code: Annotated[str | None, Query()] = None,
    state: Annotated[str | None, Query()] = None,
    error: Annotated[str | None, Query()] = None,
) -> Response:
    """From the provider: the code becomes a session, once, in the browser that began."""
    cookies: Cookies = request.app.state.cookies
    flow: CodeFlow = request.app.state.flow
    pending = Pending.from_cookie(cookies.read(request, cookies.pending) or "")
    if pending is None or state is None or not hmac.compare_digest(state.encode(), pending.state.encode()):
        return _refused(request, "/")
    if code is None or error is not None:
        log.info("sign_in_refused", reason="provider")
        return _refused(request, pending.to)
    try:
        person, tokens = await flow.finish(code, pending)
        now = request.app.state.unix_s()
        cookie = await visitors_of(request).sessions.open(
            Session(
                subject=person.subject,
                name=person.name,
                access=tokens.access,
                refresh=tokens.refresh,
                identity=tokens.identity,
                expires_at_s=tokens.expires_at_s,
                began_at_s=now,
                seen_at_s=now,
            )
        )
    except SignInRefusedError:
        log.info("sign_in_refused", reason="token")
        return _refused(request, pending.to)
    except ProviderAwayError:
        return render(request, "sign_in/away.html", status=503, to=pending.to)
    except NoRoomError:
        raise NoRoomForSessionsError from None
    except (NatsError, TimeoutError, OSError) as failure:
        raise SessionsAwayError(type(failure).__name__) from None
    log.info("signed_in", subject=person.subject)
    response = RedirectResponse(pending.to, status_code=303)
    cookies.write(response, cookies.session, cookie)
    cookies.remove(response, cookies.pending)
    return response


@router.get("/sign-out")
async def ask_sign_out(request: Request, done: Annotated[str | None, Query()] = None) -> Response:
    """`done`: back from the provider's own page."""
    return render(request, "sign_in/sign_out.html", done=done is not None, at_provider=None)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session here. The provider's own page follows by a link: its redirects would break `form-action`."""
    cookies: Cookies = request.app.state.cookies
    cookie, at_provider = cookies.read(request, cookies.session), None
    if cookie:
        visitors = visitors_of(request)
        visitor = await visitors.find(cookie)
        try:
            await visitors.sessions.close(cookie)
            base = str(request.app.state.settings.base_url)
            at_provider = await request.app.state.flow.sign_out_address(
                visitor.identity if visitor is not None else None, base + "/sign-out?" + urlencode({"done": "yes"})
            )
        except ProviderAwayError:
            at_provider = None
        except (NatsError, TimeoutError, OSError) as failure:
            raise SessionsAwayError(type(failure).__name__) from None
        log.info("signed_out")
    response = render(request, "sign_in/sign_out.html", done=True, at_provider=at_provider)
    cookies.remove(response, cookies.session)
    return response


def _refused(request: Request, to: str) -> Response:
    return render(request, "sign_in/refused.html", status=403, to=to)

"""The visitor of a page, as a dependency of its route."""

from typing import Annotated

from fastapi import Depends, Request
from nats.errors import Error as NatsError

from console.sign_in.cookies import Cookies
from console.sign_in.visitor import SessionsAwayError, Visitor, Visitors


class SignInNeededError(Exception):
    """Nobody is signed in: the browser goes to the provider and comes back to this page."""


def visitors_of(request: Request) -> Visitors:
    """Return the visitors. Raises SessionsAwayError while NATS has not been reached yet."""
    visitors: Visitors | None = request.app.state.visitors
    if visitors is None:
        msg = "NATS"
        raise SessionsAwayError(msg)
    return visitors


async def require_visitor(request: Request) -> Visitor:
    """Require a person who is signed in. Raises SignInNeededError, SessionsAwayError."""
    cookies: Cookies = request.app.state.cookies
    cookie = cookies.read(request, cookies.session)
    found = await visitors_of(request).find(cookie) if cookie else None
    if found is None:
        raise SignInNeededError
    request.state.visitor = found
    return found


async def require_visitor_or_screen(request: Request) -> Visitor:
    """Require the person who is signed in, else who made this browser a wall screen.

    Raises SignInNeededError, SessionsAwayError.
    """
    cookies: Cookies = request.app.state.cookies
    cookie = cookies.read(request, cookies.screen)
    try:
        return await require_visitor(request)
    except SignInNeededError:
        screens: Visitors | None = request.app.state.screen_visitors
        found = await screens.find(cookie) if cookie and screens is not None else None
        if found is None:
            raise
    request.state.visitor = found
    return found


async def is_still_known(request: Request) -> bool:
    """Return whether the session or the screen behind a stream still stands; so too while nobody knows."""
    cookies: Cookies = request.app.state.cookies
    state = request.app.state
    try:
        for visitors, name in ((state.visitors, cookies.session), (state.screen_visitors, cookies.screen)):
            cookie = cookies.read(request, name)
            if visitors is None or (cookie and await visitors.sessions.load(cookie) is not None):
                return True
    except (NatsError, TimeoutError, OSError):
        return True
    return False


SignedIn = Annotated[Visitor, Depends(require_visitor)]
"""Of a route that needs a person."""
SignedInOrScreen = Annotated[Visitor, Depends(require_visitor_or_screen)]
"""Of the wall and what its page loads: a wall screen opens these and nothing else."""


def way_back(request: Request) -> str:
    """Build the path of the page that was asked for, to come back to; a form's own page where a form was sent."""
    query = f"?{request.url.query}" if request.url.query else ""
    has_own_page = request.method == "GET" or request.url.path.startswith("/acts/")
    return request.url.path + query if has_own_page else "/"


def own_path(given: str | None) -> str:
    """Return a path of this site; `/` for anything that leads elsewhere."""
    if given and given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable():
        return given[:2048]
    return "/"

"""`/screens`: the wall screens; this browser becomes one, and any of them is ended."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response
from nats.errors import Error as NatsError

from console.acts.permitted import may_call
from console.drawing.page import render
from console.sign_in.cookies import Cookies
from console.sign_in.required import SignedIn, SignInNeededError, visitors_of
from console.sign_in.screens import LASTS_S, MOST_OF_ONE, Screen, Screens
from console.sign_in.sessions import NoRoomError
from console.sign_in.visitor import NoRoomForSessionsError, SessionsAwayError, Visitor
from console.words.catalogue import mark
from console.words.dates import LOCAL
from vonggac.telemetry import get_logger

log = get_logger(__name__)
router = APIRouter()

LONGEST_NAME = 80
NAMELESS = mark("Say where the screen hangs, in at most 80 characters.")
NOT_FOR_LONG = mark(
    "The sign-in gave no token that can be renewed, so the screen would be dark within the hour: ask who runs the "
    "platform for the scope offline_access."
)
TOO_MANY = mark("You have made 20 screens: end one that is not needed.")


@router.get("/screens")
async def list_screens(request: Request, visitor: SignedIn) -> Response:
    """Those that the person made; those of all for who reads the province's audit."""
    return _show(request, await _seen_by(request, visitor))


@router.post("/screens")
async def make_screen(request: Request, visitor: SignedIn, name: Annotated[str, Form()] = "") -> Response:
    """Make this browser show the wall from now on, for a month; its person is signed out of it."""
    cookies: Cookies = request.app.state.cookies
    name = name.strip()
    shown = await _seen_by(request, visitor)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return _show(request, shown, mistake=NAMELESS, name=name[:LONGEST_NAME])
    if sum(each.subject == visitor.subject for each in shown) >= MOST_OF_ONE:
        return _show(request, shown, mistake=TOO_MANY, name=name)
    try:
        sessions, cookie = visitors_of(request).sessions, cookies.read(request, cookies.session) or ""
        found = await sessions.load(cookie)
        if found is None:
            raise SignInNeededError
        if found[0].refresh is None:
            return _show(request, shown, mistake=NOT_FOR_LONG, name=name)
        now = request.app.state.unix_s()
        screen = replace(found[0], screen=name, began_at_s=now, seen_at_s=now, refreshed_by_s=0.0)
        made = await _screens_of(request).open(screen)
        # Its tokens are the screen's: each is used once.
        await sessions.close(cookie)
    except NoRoomError:
        raise NoRoomForSessionsError from None
    except (NatsError, TimeoutError, OSError) as failure:
        raise SessionsAwayError(type(failure).__name__) from None
    log.info("screen_made", subject=visitor.subject, screen=name)
    response = RedirectResponse("/wall", status_code=303)
    cookies.write(response, cookies.screen, made, within_s=LASTS_S)
    cookies.remove(response, cookies.session)
    return response


@router.post("/screens/{key}/end")
async def end_screen(
    request: Request, visitor: SignedIn, key: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
) -> Response:
    """Whoever sees a screen in the list may end it; ended already is ended."""
    screen = next((each for each in await _seen_by(request, visitor) if each.key == key), None)
    if screen is not None:
        try:
            await _screens_of(request).revoke(key)
        except (NatsError, TimeoutError, OSError) as failure:
            raise SessionsAwayError(type(failure).__name__) from None
        log.info("screen_ended", subject=visitor.subject, screen=screen.name, made_by=screen.subject)
    return RedirectResponse("/screens", status_code=303)


def _screens_of(request: Request) -> Screens:
    """Return the screens. Raises SessionsAwayError while NATS has not been reached yet."""
    screens: Screens | None = request.app.state.screens
    if screens is None:
        raise SessionsAwayError
    return screens


async def _seen_by(request: Request, visitor: Visitor) -> list[Screen]:
    """List the screens that the visitor sees. Raises SessionsAwayError."""
    sees_all = may_call(visitor.caller, "inventory", "GET", "/v1/changes")
    try:
        every = await _screens_of(request).list_all()
    except (NatsError, TimeoutError, OSError) as failure:
        raise SessionsAwayError(type(failure).__name__) from None
    return [each for each in every if sees_all or each.subject == visitor.subject]


def _show(request: Request, screens: Sequence[Screen], *, mistake: str = "", name: str = "") -> Response:
    def at(unix_s: float) -> str:
        return datetime.fromtimestamp(unix_s, LOCAL).isoformat()

    rows = [(each, at(each.made_at_s), at(each.seen_at_s), at(each.ends_at_s)) for each in screens]
    status = 422 if mistake else 200
    return render(request, "sign_in/screens.html", status=status, rows=rows, mistake=mistake, name=name)

"""The facility behind a request: its link's token, in a cookie of `/f` alone, tried with the register each time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from console.apis.caller import Answer, Found, Refused
from console.drawing.page import render
from console.pages.parts import inventory_of, trouble_of
from console.sign_in.cookies import Cookies
from console.sign_in.visitor import Visitor
from vonggac.auth import AccessScope, Principal, Role
from vonggac.auth.links import is_link_token

HOME = "/f"
REFUSED = frozenset({401, 429})
"""What the register answers a token that is over, revoked, or none."""


@dataclass(frozen=True)
class LinkHolder(Visitor):
    """Who came by a facility's link, which stands in place of a sign-in."""

    link: Mapping[str, Any] = field(default_factory=dict)
    """As `GET /v1/facility-link` answers it."""

    @cached_property
    def caller(self) -> Principal:
        """Whom the register knows the link as."""
        return Principal(
            self.subject,
            frozenset({Role.FACILITY}),
            AccessScope(facilities=frozenset({UUID(self.link["facility_id"])})),
            link=UUID(self.link["id"]),
        )


def cookie_name(request: Request) -> str:
    """Choose the cookie's name: of one path, it cannot have the prefix `__Host-` (RFC 6265bis §4.1.3.2)."""
    cookies: Cookies = request.app.state.cookies
    return "__Secure-facility_link" if cookies.secure else "vonggac_facility_link"


async def find_holder(request: Request) -> LinkHolder | Response:
    """Who holds the link of the cookie, or the page that asks for one."""
    request.state.home = HOME
    token = request.cookies.get(cookie_name(request), "")
    if not is_link_token(token):
        return ask_for_link(request)
    answer = await read_link(request, token)
    if isinstance(answer, Found):
        return holder_of(token, answer.body)
    response = refuse_link(request, answer)
    if isinstance(answer, Refused):
        forget_link(request, response)
    return response


async def read_link(request: Request, token: str) -> Answer:
    """Read what the register has of a link's token."""
    return await inventory_of(request).caller.get(token, "/v1/facility-link")


def holder_of(token: str, link: Mapping[str, Any]) -> LinkHolder:
    expires_at = datetime.fromisoformat(link["expires_at"])
    return LinkHolder(subject_of(link), link["for_whom"], token, None, expires_at.timestamp(), link)


def subject_of(link: Mapping[str, Any]) -> str:
    """Whom the change log names."""
    return f"facility-link:{link['id']}"


def ask_for_link(request: Request, *, is_over: bool = False, status: int = 200) -> Response:
    """Show the page that takes a link's token: of the QR code by a script, or typed."""
    return render(request, "links/enter.html", status=status, is_over=is_over)


def refuse_link(request: Request, answer: Answer) -> Response:
    """Show that the link is over, or that the register is away."""
    if isinstance(answer, Refused) and answer.status in REFUSED:
        return ask_for_link(request, is_over=True, status=403)
    return render(request, "forms/away.html", status=503, trouble=trouble_of([answer]))


def keep_link(request: Request, response: Response, holder: LinkHolder) -> None:
    """For as long as the link holds, out of reach of scripts, sent to `/f` alone."""
    cookies: Cookies = request.app.state.cookies
    response.set_cookie(
        cookie_name(request),
        holder.token,
        max_age=max(int(holder.expires_at_s - request.app.state.unix_s()), 0),
        path=HOME,
        secure=cookies.secure,
        httponly=True,
        samesite="lax",
    )


def forget_link(request: Request, response: Response) -> None:
    cookies: Cookies = request.app.state.cookies
    response.delete_cookie(cookie_name(request), path=HOME, secure=cookies.secure, httponly=True, samesite="lax")

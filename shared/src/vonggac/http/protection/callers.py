"""Identifies the caller before anything else of a request is read: its route, its parameters, its body."""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from vonggac.http.problems import ProblemError, problem_response

OPEN_TO_ALL = frozenset({"/", "/docs", "/openapi.json", "/livez", "/readyz", "/metrics"})
OPEN_BELOW = ("/docs/", "/openapi/")
"""What a service is, and how it does. Every other path needs a caller, those that do not exist too: nobody learns
without a token what there is."""

type Authenticate = Callable[[Scope], Awaitable[None]]
"""Notes the caller in the scope. Raises ProblemError 401."""


class Callers:
    """ASGI middleware: a call without a valid token ends here, whatever else is wrong with it.

    The app's state says how callers are known (`install_authentication`); an app without it has no callers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_guarded(scope["path"]):
            authenticate: Authenticate | None = getattr(scope["app"].state, "authenticate", None)
            if authenticate is not None:
                try:
                    await authenticate(scope)
                except ProblemError as error:
                    await problem_response(error)(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def is_guarded(path: str) -> bool:
    """Whether a path needs a caller."""
    return path not in OPEN_TO_ALL and not path.startswith(OPEN_BELOW)

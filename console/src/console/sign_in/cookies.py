"""The console's cookies: for its own origin alone, out of reach of scripts."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and attributes; on loopback without TLS no browser takes the prefix `__Host-` (RFC 6265bis §4.1.3.2)."""

    secure: bool

    @property
    def session(self) -> str:
        return f"{self._prefix}session"

    @property
    def pending(self) -> str:
        """While its person is at the provider."""
        return f"{self._prefix}sign_in"

    @property
    def draft(self) -> str:
        """Opens what was typed into a form whose session had ended."""
        return f"{self._prefix}draft"

    @property
    def screen(self) -> str:
        """Of a browser that is a wall screen."""
        return f"{self._prefix}screen"

    @property
    def language(self) -> str:
        return f"{self._prefix}language"

    @property
    def _prefix(self) -> str:
        return "__Host-" if self.secure else "vonggac_"

    def write(self, response: Response, name: str, value: str, *, within_s: float | None = None) -> None:
        """`within_s`: None lasts as long as the browser."""
        response.set_cookie(
            name,
            value,
            max_age=None if within_s is None else int(within_s),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def remove(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")

    def read(self, request: Request, name: str) -> str | None:
        return request.cookies.get(name)

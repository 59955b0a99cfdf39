"""A name that was resolved and checked is not resolved again: its connection goes to that address and to no other.

Apprise takes names and resolves them itself, a moment after the check: a name server that answers otherwise then would
lead it to another network. So while it sends, the thread's resolver knows this one name alone, whatever it asks for
(a proxy of the environment, a redirect).
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_pinned: ContextVar[tuple[str, str] | None] = ContextVar("pinned", default=None)
_resolver = socket.getaddrinfo


@contextmanager
def pinned(host: str, address: str) -> Iterator[None]:
    """Within it, and in threads that are given its context, `host` has this address, and no other name has any."""
    token = _pinned.set((host.lower(), address))
    try:
        yield
    finally:
        _pinned.reset(token)


def _getaddrinfo(host: Any, port: Any, *more: Any, **given: Any) -> Any:
    """As the module `socket` has it, for whatever resolves by it: smtplib, urllib3, asyncio.

    Raises gaierror for another name than the pinned one.
    """
    known = _pinned.get()
    if known is None:
        return _resolver(host, port, *more, **given)
    name, address = known
    asked = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if asked.lower() not in {name, address}:
        raise socket.gaierror(socket.EAI_NONAME, "only the checked name has an address here")
    return _resolver(address, port, *more, **given)


socket.getaddrinfo = _getaddrinfo

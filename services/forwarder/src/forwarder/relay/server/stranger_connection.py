"""A connection of which nobody knows yet whose it is: a crowd of them is read in shares."""

from abc import ABC

from vonggac.net.iterations import Share
from vonggac.rtsp.server.connection import ServerConnection
from vonggac.rtsp.server.liveness import Patience

REQUESTS_AT_ONCE = 32
"""Of one connection in an iteration: a login costs more than a frame, and no player sends so many without an answer."""
STRANGER_REQUESTS_AT_ONCE = 4
"""The same before its login: whoever wants to log in waits for each answer."""
STRANGERS_AT_ONCE = 8
"""Connections without a login that are read in an iteration: 1.3 ms, where each has one request."""


class StrangerConnection(ServerConnection, ABC):
    """Is read when the other strangers leave room in an iteration of the event loop, until `become_known`."""

    def __init__(self, patience: Patience, strangers: Share) -> None:
        super().__init__(patience, at_once=STRANGER_REQUESTS_AT_ONCE)
        self._strangers = strangers
        self._known = False
        self._unread = b""
        """Came when others had their turn."""

    def become_known(self) -> None:
        """Be read at once from now on."""
        self._known = True
        self._deframer.most = REQUESTS_AT_ONCE

    def _handle(self, data: bytes) -> bool:
        if self._unread:
            data, self._unread = self._unread + data, b""
        if self._known or self._strangers.use_one():
            return super()._handle(data)
        self._unread = data
        return True

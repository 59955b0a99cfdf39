"""Bodies of files to verify, in memory: a slow sender holds what he has sent, and not the place of another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import Request
from starlette.requests import ClientDisconnect

from vonggac.http import ProblemError

READ_WITHIN_S = 60.0
ADMITTED_BYTES = 16 * 2**20
"""While so much is held, another body waits before its first byte is read."""
MOST_BYTES = 36 * 2**20
"""Held at all: bodies that had begun small grow together. The largest file has room."""
PIECE_BYTES = 256 << 10
"""A body is held in pieces of this size: one that comes a few bytes at a time would cost ten times its length."""


class Receiving:
    """Reads bodies, and knows how many bytes of them are held until they are verified."""

    def __init__(self) -> None:
        self.opening = asyncio.Lock()
        """Held while one file is opened."""
        self._held = 0
        self._released = asyncio.Condition()

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[list[bytearray]]:
        """Read the whole body in its pieces, held until the block ends: whoever joins them holds it twice.

        Raises ProblemError 408 where it does not come in time, 503 where there is no room for it, 400 where the
        connection ends; the middleware refuses what is larger than one file may be.
        """
        taken = 0
        pieces: list[bytearray] = []
        try:
            try:
                await self._wait_for_room()
                async with asyncio.timeout(READ_WITHIN_S):
                    async for piece in request.stream():
                        if self._held + len(piece) > MOST_BYTES:
                            raise _no_room()
                        self._held += len(piece)
                        taken += len(piece)
                        if not pieces or len(pieces[-1]) >= PIECE_BYTES:
                            pieces.append(bytearray())
                        pieces[-1] += piece
            except TimeoutError:
                detail = f"the file did not come within {READ_WITHIN_S:.0f} s"
                close = {"Connection": "close"}
                raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "too_slow", detail, headers=close) from None
            except ClientDisconnect:
                detail = "the connection ended before the file did"
                raise ProblemError(HTTPStatus.BAD_REQUEST, "cut_off", detail) from None
            yield pieces
        finally:
            self._held -= taken
            async with self._released:
                self._released.notify_all()

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(READ_WITHIN_S), self._released:
                await self._released.wait_for(lambda: self._held < ADMITTED_BYTES)
        except TimeoutError:
            raise _no_room() from None


def _no_room() -> ProblemError:
    detail = "other files are being verified; send this one again in a minute"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", detail, headers={"Retry-After": "60"})

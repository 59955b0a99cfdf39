"""Matches answers to requests, also when the peer counts wrong."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from vonggac.net.errors import PeerError
from vonggac.rtsp.wire.messages import Response

STRAY_WAIT_S = 0.25
"""How long an answer with another number waits for the right one."""


class Answers:
    """For one connection, whose requests run one after the other. Call `stop` at its end."""

    __slots__ = ("_answer", "_counts_wrong", "_cseq", "_loop", "_stray")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._cseq = 0
        self._answer: asyncio.Future[Response] | None = None
        self._stray: asyncio.TimerHandle | None = None
        self._counts_wrong = False

    @contextmanager
    def expected(self, cseq: int) -> Iterator[asyncio.Future[Response]]:
        """Expect the answer to the request with this number; dropped when the block is left."""
        self._cseq = cseq
        self._answer = self._loop.create_future()
        try:
            yield self._answer
        finally:
            self._answer = None

    def receive(self, response: Response) -> None:
        """Receive a final answer. One that belongs to no request is dropped."""
        answer = self._answer
        if answer is None or answer.done():
            return
        # A few devices leave CSeq out: only one request waits, so the answer is certain.
        if response.cseq in (self._cseq, None) or self._counts_wrong:
            answer.set_result(response)
        elif self._stray is None:
            # A few repeat one number or count by themselves. But it may be the late answer to a request that was given
            # up: then the right one comes soon.
            self._stray = self._loop.call_later(STRAY_WAIT_S, self._receive_stray, answer, response)

    def fail(self, error: PeerError) -> None:
        """No answer will come any more."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def stop(self) -> None:
        if self._stray is not None:
            self._stray.cancel()

    def _receive_stray(self, answer: asyncio.Future[Response], response: Response) -> None:
        self._stray = None
        if answer is self._answer and not answer.done():
            self._counts_wrong = True
            answer.set_result(response)

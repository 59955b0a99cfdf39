"""Asks a destination whether its process reads: an answer comes in order, so it shows that all before was read."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum

from forwarder.relay.destinations.tcp_ack import TcpAcknowledgement

ANSWER_WITHIN_S = 10.0
"""A destination that seems to read nothing is given so long to answer a question."""


class Answer(Enum):
    """What a destination made known about all that was sent before a question."""

    NONE = "none"
    READ = "read"
    """That it has read it, by a word that it sends when it likes."""
    ANSWERED = "answered"
    """That it has read it, in answer to the question: from now on its silence says something."""


type Ask = Callable[[float], Awaitable[Answer]]
"""Gets the time within which to answer, and never raises."""


class Question:
    """Of one session: asked once at its beginning, and whenever the window's end stands."""

    def __init__(self, acknowledgement: TcpAcknowledgement) -> None:
        self._acknowledgement = acknowledgement
        self._asked = False
        self._asking: asyncio.Task[None] | None = None

    def ask_if_due(self, ask: Ask) -> None:
        """Call after each reading of the acknowledgement. `ask` is kept no longer than the answer is awaited: it holds
        the session, which a search for garbage would have to find."""
        if self._asking is None and (self._acknowledgement.stands or not self._asked):
            self._asked = True
            self._asking = asyncio.get_running_loop().create_task(self._wait_for_answer(ask), name="ask-destination")

    def cancel(self) -> None:
        """Cancel the question: the session is over."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    async def _wait_for_answer(self, ask: Ask) -> None:
        marked = self._acknowledgement.mark()
        answer = await ask(ANSWER_WITHIN_S)
        if answer is not Answer.NONE:
            self._acknowledgement.was_read(marked, answered=answer is Answer.ANSWERED)
        self._asking = None

"""Messages of one subscription, in order, for whoever takes them one by one.

`Subscription.next_msg` of nats-py makes a task, a timer and a name for each message: who takes thousands a second that
way falls behind, and what waits is memory.
"""

import asyncio
from collections import deque

from nats.aio.msg import Msg

MOST_WAITING = 100_000
"""Messages that wait to be taken."""


class MissedMessagesError(Exception):
    """Some messages were left out, since too many waited."""


class Inbox:
    """`put` is the callback of the subscription."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._messages: deque[Msg] = deque()
        self._most_waiting = most_waiting
        self._came = asyncio.Event()
        self._missed = False

    async def put(self, message: Msg) -> None:
        """Keep a message until it is taken."""
        if self._missed or len(self._messages) >= self._most_waiting:
            self._missed = True
            return
        self._messages.append(message)
        self._came.set()

    async def next(self, timeout_s: float) -> Msg:
        """Take the oldest message.

        Raises TimeoutError when none came within `timeout_s`, MissedMessagesError after the last one before a gap.
        """
        if not self._messages:
            if self._missed:
                raise MissedMessagesError(f"more than {self._most_waiting} messages waited")
            self._came.clear()
            async with asyncio.timeout(timeout_s):
                await self._came.wait()
        return self._messages.popleft()

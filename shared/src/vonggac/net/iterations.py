"""Handles what is much in several iterations of the event loop, so that other peers go in between.

One peer's large read by `go_on_later`, a crowd that sends at the same moment by `Share`.
"""

import asyncio
from collections.abc import Callable

AT_ONCE = 256
"""Frames, messages or pieces of one peer in an iteration. The dearest cost 13 microseconds each: three milliseconds. A
full read of a healthy camera (256 kB in packets of 1,404 bytes) has 182."""

type Step = Callable[[bytes], bool]
"""Handles some of what waits and of what is given; whether something is left."""


def go_on_later(transport: asyncio.Transport, step: Step) -> None:
    """Call `step(b"")` in each iteration that follows while something is left; nothing is read meanwhile."""
    if transport.is_reading():
        transport.pause_reading()
        asyncio.get_running_loop().call_soon(_go_on, transport, step)


def _go_on(transport: asyncio.Transport, step: Step) -> None:
    if transport.is_closing():
        return
    try:
        left = step(b"")
    except BaseException:
        # As when it is called from data_received: the connection ends, and the loop reports it.
        transport.abort()
        raise
    if left:
        asyncio.get_running_loop().call_soon(_go_on, transport, step)
    elif not transport.is_closing():
        transport.resume_reading()


class Share:
    """How much a crowd of peers may have done in one iteration, together."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def use_one(self) -> bool:
        """Return whether one thing more may be done now; else try again in the next iteration."""
        if self._left == 0:
            return False
        if self._left == self._most:
            asyncio.get_running_loop().call_soon(self._renew)
        self._left -= 1
        return True

    def _renew(self) -> None:
        self._left = self._most

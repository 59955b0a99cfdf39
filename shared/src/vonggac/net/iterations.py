"""Handles a large read in several iterations of the event loop, so that other peers go in between."""

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

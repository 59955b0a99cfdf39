"""Finding out quickly that a destination listens again.

Waiting times of up to half a minute are right for a destination that answers and says no. One that nobody could connect
to costs nothing to ask: one TCP connection a second per address and process, however many deliveries wait there, ended
as soon as it stands. The deliveries are told, and each makes its own attempt.
"""

import asyncio
from collections.abc import Callable

from vonggac.rtsp.addresses import AllowedNetworks
from vonggac.rtsp.connection import RtspConnection
from vonggac.rtsp.errors import RtspError

INTERVAL_S = 1.0
CONNECT_WITHIN_S = 1.0

type Opened = Callable[[], None]


class Knocks:
    """The addresses that are knocked at. A task runs per address for as long as somebody waits."""

    def __init__(self, *, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._waiting: dict[tuple[str, int], set[Opened]] = {}
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}

    def wait(self, host: str, port: int, allowed: AllowedNetworks, opened: Opened) -> Callable[[], None]:
        """Call `opened` once when a connection stands. The result ends the wait; harmless afterwards."""
        door = (host, port)
        self._waiting.setdefault(door, set()).add(opened)
        if door not in self._tasks:
            self._tasks[door] = asyncio.get_running_loop().create_task(self._knock(door, allowed), name="knock")

        def leave() -> None:
            waiting = self._waiting.get(door, set())
            waiting.discard(opened)
            if not waiting and door in self._tasks:
                self._tasks.pop(door).cancel()

        return leave

    async def _knock(self, door: tuple[str, int], allowed: AllowedNetworks) -> None:
        host, port = door
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                connection = await RtspConnection.open(host, port, timeout_s=CONNECT_WITHIN_S, allowed=allowed)
            except RtspError:
                # Not yet; the deliveries' own attempts report the cause.
                continue
            connection.abort()
            break
        del self._tasks[door]
        for opened in self._waiting.pop(door, set()):
            opened()

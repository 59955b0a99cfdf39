"""Liveness and readiness: the checked state of a process."""

import asyncio
import time
from collections.abc import Awaitable, Callable

WITHIN_S = 4.0
"""For all checks together: whoever asks for readiness waits a few seconds (Kubernetes, a load balancer)."""
STARTING_S = 15.0
"""So long a new process is given to reach what it can do without later."""
KNOWN_FOR_S = 3.0
"""`results` makes the checks so rarely, however often somebody asks."""

type Check = Callable[[], Awaitable[str | None]]
"""None when fine, otherwise the reason in one line."""


def at_start(check: Check, *, for_s: float = STARTING_S) -> Check:
    """Limit the check to the first `for_s` seconds: what a process waits for, and then can do without."""
    until_s = time.monotonic() + for_s

    async def check_at_start() -> str | None:
        return await check() if time.monotonic() < until_s else None

    return check_at_start


class Health:
    """Named readiness checks. Liveness means only that the event loop answers."""

    def __init__(self, *, within_s: float = WITHIN_S) -> None:
        self._checks, self._warnings = _Checks(within_s), _Checks(within_s)
        self._results: dict[str, str | None] = {}
        self._known_until_s = 0.0

    def add(self, name: str, check: Check, *, degrades: bool = False) -> None:
        """`degrades`: the process works, but somebody should see to what the check finds."""
        (self._warnings if degrades else self._checks).add(name, check)

    async def failures(self) -> dict[str, str]:
        """Name and reason of each check that fails now, or does not end in time; empty when ready."""
        return await self._checks.reasons()

    async def degradations(self) -> dict[str, str]:
        """Run the checks that only degrade: the reasons of those that fail, by name."""
        return await self._warnings.reasons()

    async def results(self) -> dict[str, str | None]:
        """Of every check of both kinds: None when fine, otherwise the reason; at most KNOWN_FOR_S old."""
        if time.monotonic() >= self._known_until_s:
            failures, degradations = await asyncio.gather(self.failures(), self.degradations())
            names = (*self._checks.names, *self._warnings.names)
            self._results = {name: (failures | degradations).get(name) for name in names}
            self._known_until_s = time.monotonic() + KNOWN_FOR_S
        return self._results


class _Checks:
    """Made at the same time. One that hangs (in a server that stands still) goes on, and is not made twice."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._checks: dict[str, Check] = {}
        self._asked: dict[str, asyncio.Future[str | None]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._checks)

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    async def reasons(self) -> dict[str, str]:
        for name, check in self._checks.items():
            if name not in self._asked or self._asked[name].done():
                self._asked[name] = asyncio.ensure_future(check())
        asked = dict(self._asked)
        if asked:
            await asyncio.wait(asked.values(), timeout=self._within_s)
        late = f"no answer within {self._within_s:g} s"
        reasons = {name: answer.result() if answer.done() else late for name, answer in asked.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

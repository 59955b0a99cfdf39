"""Liveness and readiness: the checked state of a process."""

from collections.abc import Awaitable, Callable

type Check = Callable[[], Awaitable[str | None]]
"""None when fine, otherwise the reason in one line."""


class Health:
    """Named readiness checks. Liveness means only that the event loop answers."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._warnings: dict[str, Check] = {}

    def add(self, name: str, check: Check, *, degrades: bool = False) -> None:
        """`degrades`: the process works, but somebody should see to what the check finds."""
        (self._warnings if degrades else self._checks)[name] = check

    async def failures(self) -> dict[str, str]:
        """Name and reason of each check that fails now; empty when ready."""
        return await _reasons(self._checks)

    async def degradations(self) -> dict[str, str]:
        """The same of the checks that only degrade."""
        return await _reasons(self._warnings)


async def _reasons(checks: dict[str, Check]) -> dict[str, str]:
    reasons = {name: await check() for name, check in checks.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}

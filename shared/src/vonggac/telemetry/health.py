"""Liveness and readiness: the checked state of a process."""

from collections.abc import Awaitable, Callable

type Check = Callable[[], Awaitable[str | None]]
"""None when fine, otherwise the reason in one line."""


class Health:
    """Named readiness checks. Liveness means only that the event loop answers."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    async def failures(self) -> dict[str, str]:
        """Name and reason of each check that fails now; empty when ready."""
        reasons = {name: await check() for name, check in self._checks.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

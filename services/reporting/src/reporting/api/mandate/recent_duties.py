"""Duties of now that were found lately, for who accepts an answer that is some seconds old."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from reporting.domain.instants import Millis
from reporting.reports.mandate.obligations import Item
from reporting.storage.plan import Scope

KEPT = 16
"""Scopes: readers of one scope share what was found."""

type Key = tuple[Scope, int]
"""A scope, and how many days ahead are due soon."""
type Found = tuple[Millis, tuple[Item, ...]]


class RecentDuties:
    """The newest duties of each scope. To find them reads the whole register: walls ask for them every minute."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Found] = OrderedDict()
        self._finding = asyncio.Lock()

    async def find(
        self, key: Key, at: Millis, max_age_s: int, find: Callable[[], Awaitable[tuple[Item, ...]]]
    ) -> Found:
        """Return the duties and the instant of which they are, not more than `max_age_s` before `at`."""
        if max_age_s == 0:
            return at, await find()
        async with self._finding:
            kept = self._kept.get(key)
            if kept is not None and 0 <= at - kept[0] <= 1000 * max_age_s:
                return kept
            found = self._kept[key] = at, await find()
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return found

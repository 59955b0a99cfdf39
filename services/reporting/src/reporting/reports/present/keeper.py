"""The task that keeps the present: about once a second it accounts anew what may stand otherwise, and nothing else.

That is what committed transactions announced, what ends by itself meanwhile, and everything where the register or who
watched is otherwise. The rule is that of every report (`reports.accounts`); a rotating part of all cameras is accounted
besides, and what differs from memory although nothing announced it is a difference: counted, logged and mended.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting import metrics
from reporting.domain.instants import Millis, duration, millis
from reporting.domain.segments import Period
from reporting.reports.accounts import Question, watch_of
from reporting.reports.present.account import Accounted, load_present, question_at
from reporting.reports.present.board import Board, Places
from reporting.storage import history, plan
from reporting.storage.lives import Watch
from reporting.storage.snapshot import snapshot
from reporting.storage.upkeep.announcements import Announced, Later, Listener
from vonggac.database import Database, is_away
from vonggac.telemetry import get_logger

log = get_logger(__name__)

PLACES_EVERY_MS: Millis = 10_000
"""Facilities are read anew so often although nothing was announced: one may be dated ahead."""
CHECK_EVERY_MS: Millis = 10_000
CHECKED_PARTS = 60
"""All cameras are checked in so many parts, one each time: every ten minutes."""
WHOLE_SHARE = 4
"""A whole account waits so many times as long as the last one took: one that is always due leaves the rest its time."""
AGAIN_S = 2.0
STALE_S = 30.0


class Keeper:
    """Keeps a board. `clock` gives aware UTC; the tables may be missing or away for as long as they are."""

    def __init__(
        self, database: Database, board: Board, clock: Callable[[], datetime], *, alive_s: float, every_s: float
    ) -> None:
        """`alive_s`: for how long a silent worker is presumed alive; `every_s`: between two rounds."""
        self.board = board
        self._database, self._clock = database, clock
        self._alive_ms, self._every_s = duration(alive_s), every_s
        self._accounted_at = time.monotonic()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._due: dict[str, Millis] = {}
        self._places: plan.Places | None = None
        self._places_at: Millis = 0
        self._watched: object = None
        self._later: list[Later] = []
        self._suspects: set[str] = set()
        self._checked_at: Millis = 0
        self._parts: list[tuple[str, ...]] = []
        self._is_whole_due = True
        self._whole_after = 0.0

    async def check(self) -> str | None:
        """Degradation: one line while the present is not of now."""
        age_s = time.monotonic() - self._accounted_at
        return f"the present was accounted {age_s:.0f} s ago" if age_s > STALE_S else None

    async def run(self) -> None:
        """Keep the present until cancelled; raises only bugs."""
        while True:
            try:
                await self._follow()
            except Exception as error:
                if not is_away(error):
                    raise
                log.info("present_not_read", error=type(error).__name__)
                await asyncio.sleep(AGAIN_S)

    async def _follow(self) -> None:
        listener = await Listener.open(self._database)
        # What was announced while nobody listened is not known.
        self._begin_anew()
        try:
            while True:
                await self.account(await listener.read())
                await asyncio.sleep(self._every_s)
        finally:
            await listener.close()

    async def account(self, announced: Announced) -> None:
        """One round. Raises what PostgreSQL raises; what was announced is then lost, so begin anew."""
        started, now = time.perf_counter(), millis(self._clock())
        question = question_at(now, self._alive_ms)
        self._count_differences(announced)
        announced = self._with_due(announced, now)
        async with snapshot(self._database) as session:
            places = await self._read_places(session, question, announced)
            self._note_watch(await watch_of(session, question), now)
            if self.board.as_of is None or now < self.board.as_of:
                self._is_whole_due = True
            assert self._places is not None, "just read"
            if self._is_whole_due and started >= self._whole_after:
                found = await load_present(session, question, self._places)
                gone = [Accounted(one, None, now) for one in self.board.rows if one not in found]
                self._apply([*found.values(), *gone], now, places)
                self._is_whole_due = False
                took_s = time.perf_counter() - started
                self._whole_after = time.perf_counter() + WHOLE_SHARE * took_s
                metrics.PRESENT_SECONDS.labels("whole").observe(took_s)
                return
            touched = await self._touched(session, announced, now)
            part = self._next_part(now) - touched
            only = [UUID(one) for one in (*touched, *part)]
            found = await load_present(session, question, self._places, only) if only else {}
        self._suspects = {one for one in part if one in found and found[one].row != self.board.rows.get(one)}
        metrics.PRESENT_CHECKED.inc(len(part))
        self._apply(found.values(), now, places)
        metrics.PRESENT_SECONDS.labels("touched").observe(time.perf_counter() - started)

    def _apply(self, found: Iterable[Accounted], now: Millis, places: Places | None) -> None:
        accounted = list(found)
        for one in accounted:
            if one.row is None:
                self._due.pop(one.camera_id, None)
            else:
                self._due[one.camera_id] = one.due
        # While a whole account waits, not all is of now.
        as_of = self.board.as_of if self._is_whole_due and self.board.as_of is not None else now
        self.board.apply(accounted, as_of, places)
        metrics.PRESENT_CAMERAS.inc(len(accounted))
        metrics.PRESENT_AS_OF.set(as_of / 1000)
        self._accounted_at = time.monotonic()

    async def _read_places(self, session: AsyncSession, question: Question, announced: Announced) -> Places | None:
        """Read the facilities of now; None while they need not be read. Others than before: everything is due."""
        now = question.now
        if announced.everything:
            self._is_whole_due = True
        elif self._places is not None and 0 <= now - self._places_at < PLACES_EVERY_MS:
            return None
        before, self._places = self._places, await plan.places(session, plan.Scope(), question.period)
        self._places_at = now
        if before is None or before.register.facilities != self._places.register.facilities:
            self._is_whole_due = True
        current = await plan.places(session, plan.Scope(), Period(now - 1, now))
        return Places(tuple(current.facilities), current.counted)

    def _note_watch(self, watch: Watch, now: Millis) -> None:
        """Everything is due where workers began or ceased to watch."""
        watched = (
            [_lives(kind, now) for kind in (watch.forwarders, watch.probers, {"*": watch.probing})],
            list(watch.lost),
            {key: list(gaps) for key, gaps in watch.lost_by_forwarder.items()},
        )
        if watched != self._watched:
            self._watched, self._is_whole_due = watched, True

    async def _touched(self, session: AsyncSession, announced: Announced, now: Millis) -> set[str]:
        touched = set(map(str, announced.cameras))
        touched.update(one for one, due in self._due.items() if due <= now)
        before = self.board.as_of or now
        for id_, windows in (await history.maintenance(session, before - 1, now + 1)).items():
            if any(before < at <= now for window in windows for at in (window.starts_at, window.ends_at)):
                touched.update(self.board.by_facility.get(UUID(id_), {id_: None}))
        return touched

    def _with_due(self, announced: Announced, now: Millis) -> Announced:
        """With what was announced earlier, and is so by now."""
        later = [*self._later, *announced.later]
        self._later = [one for one in later if one.after >= now]
        over = [one.cameras for one in later if one.after < now]
        cameras = announced.cameras.union(*(one for one in over if one is not None))
        return Announced(cameras, (), announced.everything or None in over)

    def _next_part(self, now: Millis) -> set[str]:
        """Pick the cameras that are to be checked next."""
        if 0 <= now - self._checked_at < CHECK_EVERY_MS:
            return set()
        self._checked_at = now
        if not self._parts:
            ids = sorted(self.board.rows)
            self._parts = [*batched(ids, max(1, -(-len(ids) // CHECKED_PARTS)))]
        return set(self._parts.pop()) & self.board.rows.keys() if self._parts else set()

    def _count_differences(self, announced: Announced) -> None:
        """Count what the check found otherwise, unless a transaction had committed that was not announced here yet."""
        if announced.everything:
            self._suspects = set()
        found = self._suspects - set(map(str, announced.cameras))
        self._suspects = set()
        if found:
            self.board.differences += len(found)
            metrics.PRESENT_DIFFERENCES.inc(len(found))
            log.error("present_differs", cameras=len(found), first=min(found))

    async def count_differences_of_all(self) -> int:
        """How many cameras memory has otherwise than the whole account of the moment of which it is."""
        as_of = self.board.as_of
        assert as_of is not None, "nothing is accounted yet"
        question = question_at(as_of, self._alive_ms)
        async with snapshot(self._database) as session:
            places = await plan.places(session, plan.Scope(), question.period)
            found = await load_present(session, question, places)
        rows = {one.camera_id: one.row for one in found.values() if one.row is not None}
        return sum(1 for one in rows.keys() | self.board.rows.keys() if rows.get(one) != self.board.rows.get(one))


def _lives(kind: dict[str, list[Any]], now: Millis) -> dict[str, list[tuple[Millis, Millis | None]]]:
    """When each watched; who is presumed alive goes on."""
    return {name: [(start, None if end > now else end) for start, end in lives] for name, lives in kind.items()}

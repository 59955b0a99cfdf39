"""GET /v1/present/events: what changes of the present, as it changes."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response
from pydantic_core import to_json

from reporting import metrics
from reporting.api.parameters import Context, Filters, InContext
from reporting.api.present import shapes
from reporting.api.present.counting import LOADING, tally_of
from reporting.api.present.streaming import EventStream, Listeners, event
from reporting.reports.present.board import Board
from reporting.reports.present.counts import Tally
from reporting.storage.plan import Scope
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, guarded_router
from vonggac.database import is_away
from vonggac.http import ProblemError

router = guarded_router(prefix="/v1/present", tags=["present"])

ALIVE_EVERY_S = 3.0
COMPOSED = 64
"""Answers kept for listeners that see the same."""
type _Key = tuple[Scope, int, int]


class Composer:
    """Events as bytes: listeners who see the same and know as much get the same."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._made: OrderedDict[_Key, bytes | None] = OrderedDict()

    @property
    def board(self) -> Board:
        return self.tally.board

    def alive(self) -> bytes:
        """Build the event that says of which moment all is."""
        return event("alive", self._head())

    def reset(self) -> bytes:
        """Build the event that asks to load the present anew."""
        return event("reset", self._head(), self.board.version)

    def changes(self, scope: Scope, number: int) -> bytes | None:
        """Build the events of what changed after that version of what the scope holds; None: nothing of it. Reset where
        the version is no longer known."""
        key = scope, number, self.board.number
        if key not in self._made:
            self._made[key] = self._changes(scope, number)
            while len(self._made) > COMPOSED:
                self._made.popitem(last=False)
        return self._made[key]

    def _changes(self, scope: Scope, number: int) -> bytes | None:
        changed = self.board.changes_since(number)
        if changed is None:
            return self.reset()
        there, removed = [], []
        for camera_id, before in changed.items():
            row = self.board.rows.get(camera_id)
            if row is not None and scope.wanted(row.facility):
                there.append(shapes.camera(row))
            elif before is not None and scope.wanted(before):
                removed.append(UUID(camera_id))
        if not there and not removed:
            return None
        data = {
            "version": self.board.version,
            "as_of": shapes.to_local_or_none(self.board.as_of),
            "cameras": there,
            "removed": removed,
            "counts": shapes.counts(self.tally.counts(scope)),
        }
        return event("changes", to_json(data), self.board.version)

    def _head(self) -> bytes:
        return to_json({"version": self.board.version, "as_of": shapes.to_local_or_none(self.board.as_of)})


def ended(reason: str) -> bytes:
    """Build the last event, with the reason of the end, and count the end."""
    metrics.PRESENT_LISTENERS_ENDED.labels(reason).inc()
    return event("end", to_json({"reason": reason}))


@router.get(
    "/events",
    summary="What changes of the present, as a stream",
    description="`text/event-stream`: `changes` with the cameras that changed and the counts, at most about one a "
    "second; `alive` every three seconds; `reset` where the present has to be loaded anew; `end` with the reason. The "
    "id of an event is the version of GET /v1/present: with `Last-Event-ID` it goes on from there.",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **LOADING},
)
async def stream_events(
    request: Request,
    shared: InContext,
    caller: Caller,
    filters: Annotated[Filters, Depends()],
    version: Annotated[
        str | None, Query(description="As the header `Last-Event-ID`, for the first request.", max_length=64)
    ] = None,
    resumed: Annotated[
        str | None, Header(alias="Last-Event-ID", description="The id of the last event that came.", max_length=64)
    ] = None,
) -> Response:
    _, as_of = tally_of(shared)
    listeners: Listeners = request.app.state.listeners
    if listeners.is_full:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too_many_listeners",
            "as many streams are open as there may be: ask again in some seconds, or for GET /v1/present",
            headers={"Retry-After": "10"},
        )
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, as_of)).scope
    composer: Composer = request.app.state.composer
    sight = _Sight(shared, filters, composer.board, scope)
    events = _events(composer, listeners, sight, resumed or version, caller.expires_at, shared.clock)
    return EventStream(events, listeners)


class _Sight:
    """What a listener sees, read anew when a facility changed."""

    def __init__(self, shared: Context, filters: Filters, board: Board, scope: Scope) -> None:
        self._shared, self._filters, self._board = shared, filters, board
        self._number = board.places_number
        self.scope = scope

    async def renew(self) -> bool:
        """Whether it may be otherwise now. Raises ProblemError where nothing is left to see."""
        if self._number == self._board.places_number or self._board.as_of is None:
            return False
        number = self._board.places_number
        try:
            async with snapshot(self._shared.database) as session:
                scope = (await self._filters.resolved(session, self._board.as_of)).scope
        except Exception as error:
            if not is_away(error):
                raise
            return False
        self._number, before, self.scope = number, self.scope, scope
        return scope != before


async def _events(
    composer: Composer,
    listeners: Listeners,
    sight: _Sight,
    known: str | None,
    expires_at: datetime | None,
    clock: Callable[[], datetime],
) -> AsyncIterator[bytes]:
    board = composer.board
    yield b"retry: 2000\n\n"
    number = board.number if known is None else board.number_of(known)
    if number is None:
        yield composer.reset()
        number = board.number
    yield composer.alive()
    loop = asyncio.get_running_loop()
    alive_at = loop.time() + ALIVE_EVERY_S
    while True:
        try:
            if await sight.renew():
                yield composer.reset()
                number = board.number
        except ProblemError:
            yield ended("nothing_to_see")
            return
        if number != board.number:
            changes, number = composer.changes(sight.scope, number), board.number
            if changes is not None:
                yield changes
        if loop.time() >= alive_at:
            yield composer.alive()
            alive_at = loop.time() + ALIVE_EVERY_S
        if expires_at is not None and clock() >= expires_at:
            yield ended("token_expired")
            return
        if listeners.is_stopping:
            yield ended("shutdown")
            return
        wait_s = alive_at - loop.time()
        if expires_at is not None:
            wait_s = min(wait_s, (expires_at - clock()) / timedelta(seconds=1))
        await board.wait(number, max(wait_s, 0.01))

"""Facts that lie ahead of the clock that stored them, and revisions that lie behind it: taken at that time, and marked.

Nothing is observed after it was stored, so such a fact was dated by a clock that is fast. JetStream's own time of it is
the latest that it can be of. All times in the fact move together: what lay between them is what the worker measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.ingest.inbox import event_key
from vonggac.bus import Received
from vonggac.events import Payload
from vonggac.events.inventory import RemovedV1
from vonggac.events.prober import AgreeingReadBacks

KEPT = timedelta(days=30)
"""As long as the fact itself is in the stream."""

_ADD = text(
    """
    insert into corrected_fact (event_key, event_type, subject, dated_at, taken_at)
    select * from unnest(
        cast(:keys as uuid[]), cast(:types as text[]), cast(:subjects as text[]),
        cast(:dated as timestamptz[]), cast(:taken as timestamptz[])
    )
    on conflict do nothing
    """
)
_FORGET = text("delete from corrected_fact where taken_at < :before")


@dataclass(frozen=True, slots=True)
class Correction:
    """An event as it is taken, the time that it gave itself, and the time that it is taken at."""

    received: Received
    dated_at: datetime
    taken_at: datetime


def correct(received: Received, dated_at: datetime, stored_at: datetime, *, tolerance: timedelta) -> Correction | None:
    """None for a fact that is dated, by itself, at most `tolerance` after it was stored."""
    if dated_at - stored_at <= tolerance:
        return None
    event, by = received.event, stored_at - dated_at
    # The event's own time dates gaps between facts.
    moved = event.model_copy(update={"data": _moved(event.data, by), "time": event.time + by})
    return Correction(replace(received, event=moved), dated_at, stored_at)


def correct_revision(received: Received, *, allowance: timedelta) -> Correction | None:
    """None for a revision that was on record when it says, and of which nobody measured when that was.

    No revision holds before it was stored, less how long it had waited for that by a steady clock: who dated it earlier
    had a slow clock. Its times of that instant move, no others. `allowance`: for a server that was slow to store it.
    """
    data, stored_at, waited = received.event.data, received.stored_at, received.waited
    dated_at = data.removed_at if isinstance(data, RemovedV1) else getattr(data, "changed_at", None)
    if stored_at is None or waited is None or dated_at is None or dated_at >= stored_at - waited - allowance:
        return None
    taken_at = stored_at - waited
    times = {name: taken_at for name, value in data if value == dated_at}
    moved = received.event.model_copy(update={"data": data.model_copy(update=times)})
    return Correction(replace(received, event=moved), dated_at, taken_at)


def _moved(data: Payload, by: timedelta) -> Payload:
    times: dict[str, Any] = {name: value + by for name, value in data if isinstance(value, datetime)}
    for name, value in data:
        if isinstance(value, AgreeingReadBacks):
            moved = (
                one.model_copy(update={"at": one.at + by, "observed_at": one.observed_at + by})
                for one in value.read_backs
            )
            times[name] = value.model_copy(update={"read_backs": tuple(moved)})
    return data.model_copy(update=times)


async def mark(session: AsyncSession, corrections: Sequence[Correction]) -> None:
    """Keep what each corrected fact said of itself."""
    if not corrections:
        return
    events = [one.received.event for one in corrections]
    columns = {
        "keys": [event_key(event.source, event.id) for event in events],
        "types": [event.type for event in events],
        "subjects": [event.subject for event in events],
        "dated": [one.dated_at for one in corrections],
        "taken": [one.taken_at for one in corrections],
    }
    await session.execute(_ADD, columns)


async def delete_old_marks(session: AsyncSession, *, now: datetime) -> int:
    """Delete marks older than KEPT; returns how many."""
    result = await session.execute(_FORGET, {"before": now - KEPT})
    return int(result.rowcount)  # type: ignore[attr-defined] # a DELETE has one

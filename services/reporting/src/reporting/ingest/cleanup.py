"""Keeping inbox and claims small: what nobody needs any more is forgotten, failing attempts are folded."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from reporting import metrics
from reporting.ingest import bus_clock, future_facts, gaps, inbox, late, lost_streams, scope
from reporting.settings import Settings
from reporting.storage.sending import notices
from reporting.storage.upkeep import housekeeping
from vonggac.database import Database
from vonggac.telemetry import get_logger

log = get_logger(__name__)

HOUSEKEEPING_EVERY_S = 60.0
INBOX_KEPT = timedelta(days=1)
"""For so long handled events are remembered, should they come again."""
FOLD_WITHIN = timedelta(hours=2)
FOLD_AFTER = timedelta(minutes=10)
"""Attempts are folded once they are this old: late ones of the same stretch have come by then."""


async def keep_house_regularly(
    database: Database,
    settings: Settings,
    ready: asyncio.Event,
    clock: Callable[[], datetime],
    report_losses: Callable[[Mapping[str, datetime]], Awaitable[None]],
) -> None:
    """Keep house every HOUSEKEEPING_EVERY_S from `ready` on, until cancelled. `clock` gives aware UTC.

    `report_losses`: to forwarders of whose facts some are lost, each round until they have answered.
    """
    await ready.wait()
    alive, missing = timedelta(seconds=settings.presumed_alive_s), 0
    while True:
        try:
            now = clock()
            missing, before = await keep_house(database, settings, now), missing
            if missing > before:
                log.warning("revisions_missing", count=missing)
            async with database.transaction() as session:
                lost = await gaps.unanswered(session, now - alive)
                for worker_id, until in (await bus_clock.unanswered(session, alive_since=now - alive, now=now)).items():
                    lost[worker_id] = max(until, lost.get(worker_id, until))
            await report_losses(lost)
        except (SQLAlchemyError, OSError) as error:
            log.warning("housekeeping_failed", error=type(error).__name__)
        await asyncio.sleep(HOUSEKEEPING_EVERY_S)


async def keep_house(database: Database, settings: Settings, now: datetime) -> int:
    """One round: forget old inbox rows and notices, fold failing attempts, give up what never came.

    Returns for how many stretches of time revisions of the register are missing. Raises what PostgreSQL raises.
    """
    async with database.transaction() as session:
        forgotten = await inbox.delete_old_marks(session, before=now - INBOX_KEPT)
        unmarked = await future_facts.delete_old_marks(session, now=now)
    async with database.transaction() as session:
        folded = await housekeeping.fold_attempts(session, since=now - FOLD_WITHIN, until=now - FOLD_AFTER)
    async with database.transaction() as session:
        before = now - timedelta(days=settings.notices_kept_days)
        metrics.HOUSEKEEPING.labels("notice").inc(await notices.delete_old_notices(session, before=before))
    async with database.transaction() as session:
        touched = await late.begun(session)
        lost, since = await gaps.give_up(session, now)
        await late.note_lives(session, touched, {"gap": since})
        await late.keep(session, touched)
        missing = await scope.count_missing(session)
        for stream, lost_until in (await lost_streams.load_newest(session)).items():
            metrics.STREAM_LOST_AT.labels(stream).set(lost_until.timestamp())
    metrics.REGISTER_GAPS.set(missing)
    if lost:
        log.warning("facts_lost", count=lost)
        metrics.FACTS_LOST.inc(lost)
    metrics.HOUSEKEEPING.labels("inbox").inc(forgotten)
    metrics.HOUSEKEEPING.labels("corrected_fact").inc(unmarked)
    metrics.HOUSEKEEPING.labels("delivery_change").inc(folded)
    return missing

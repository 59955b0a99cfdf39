"""A register that was restored from an older copy begins an epoch: its revisions are above all that were published."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.messaging import OutboxMark, subject_of
from inventory.storage import outbox
from inventory.storage.queries.clocks import set_recorded_now
from inventory.storage.store import WRITERS_LOCK
from inventory.storage.tables import THINGS, Change, FacilityLink, PublishedStream
from inventory.storage.upkeep.republishing import append_everything
from vonggac.bus.declared import topology
from vonggac.database import Database
from vonggac.events.inventory import RemovedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

EPOCH = 1_000_000_000
"""A revision is epoch x EPOCH + its own count: the higher one wins, also across a restore."""

_HIGHEST = text("select case when is_called then last_value else 0 end from outbox_id_seq")
_CONTINUE = text("select setval('outbox_id_seq', :highest)")


class Restores:
    """Compares the outbox with what was published of it, and begins an epoch when it went back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_mark(self) -> OutboxMark:
        """How far this database's outbox has come. Raises what PostgreSQL raises."""
        async with self._database.transaction() as session:
            return OutboxMark(highest=await session.scalar(_HIGHEST) or 0, epoch=await _epoch(session))

    async def begin_epoch(self, published: OutboxMark, subjects: Collection[str]) -> int | None:
        """Raise every revision above what was published, and republish; how many messages.

        `subjects`: of what stands in the stream. None, and nothing is touched, when the register is empty: that is
        another database, not an older one. Raises what PostgreSQL raises.
        """
        now = datetime.now(UTC)
        async with self._database.transaction() as session:
            await session.execute(text(f"select pg_advisory_xact_lock({WRITERS_LOCK})"))
            if await session.scalar(_HIGHEST) >= published.highest:
                # Another process did it.
                return 0
            known = {
                subject_of(kind.noun, thing) for kind in THINGS for thing in await session.scalars(select(kind.id))
            }
            if not known:
                return None
            links = await session.scalars(select(FacilityLink.id))
            known |= {subject_of(FacilityLink.logged_as, one) for one in links}
            # With the newest change: of the pages of a list, which show its instant, none has the revisions before.
            latest = await session.scalar(select(func.max(Change.changed_at)))
            await set_recorded_now(session, latest or now)
            epoch = max(published.epoch, await _epoch(session)) + 1
            for kind in THINGS:
                revision = kind.revision % EPOCH + epoch * EPOCH
                await session.execute(update(kind).values(revision=revision, changed_at=now))
            await session.execute(_CONTINUE, {"highest": published.highest})
            count = await append_everything(session, now)
            gone = [_tombstone(subject, epoch * EPOCH, now) for subject in sorted(set(subjects) - known)]
            await outbox.append_messages(session, gone, now=now)
            stream = update(PublishedStream).where(PublishedStream.stream == topology.INVENTORY)
            await session.execute(stream.values(epoch=epoch))
        log.warning("register_restored", epoch=epoch, republished=count, removed=len(gone))
        return count + len(gone)


async def _epoch(session: AsyncSession) -> int:
    return await session.scalar(select(func.max(PublishedStream.epoch))) or 0


def _tombstone(subject: str, revision: int, now: datetime) -> outbox.OutboxMessage:
    _, noun, thing_id = subject.split(".")
    removed = RemovedV1(id=UUID(thing_id), noun=noun, revision=revision, removed_at=now, reason="register restored")
    return outbox.new_message(noun, UUID(thing_id), removed, now=now)

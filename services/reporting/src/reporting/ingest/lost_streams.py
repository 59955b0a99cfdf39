"""Streams that were gone: what their owner publishes of them is kept, for notes of reports and a list."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.upkeep.tables import stream_loss
from vonggac.events import Payload
from vonggac.events.setup import StreamLostV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)


async def record(session: AsyncSession, facts: Iterable[Payload]) -> list[StreamLostV1]:
    """Keep the losses among these facts, each once; returns them."""
    losses = [fact for fact in facts if isinstance(fact, StreamLostV1)]
    if losses:
        await session.execute(insert(stream_loss).on_conflict_do_nothing(), [_row(loss) for loss in losses])
    for loss in losses:
        log.warning(
            "stream_lost",
            stream=loss.stream,
            consumer=loss.consumer,
            kind=loss.kind.value,
            lost_from=loss.lost_from.isoformat(),
            lost_until=loss.lost_until.isoformat(),
            unread=loss.unread,
        )
    return losses


async def load_newest(session: AsyncSession) -> dict[str, datetime]:
    """When each stream stood again after its last loss, with its consumers."""
    newest = select(stream_loss.c.stream, func.max(stream_loss.c.lost_until)).group_by(stream_loss.c.stream)
    return {row.stream: row[1] for row in await session.execute(newest)}


def _row(loss: StreamLostV1) -> dict[str, object]:
    return {
        "stream": loss.stream,
        "consumer": loss.consumer or "",
        "kind": loss.kind.value,
        "lost_from": min(loss.lost_from, loss.lost_until),
        "lost_until": loss.lost_until,
        "messages": loss.messages,
        "unread": loss.unread,
        "filled_with": loss.filled_with.value,
    }

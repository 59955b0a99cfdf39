"""What each camera was seen to send, as stored."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, moment
from reporting.storage.mandate.tables import camera_format

_AT = text(
    """
    select distinct on (camera_id) camera_id::text, began_at, last_at, codec, profile, width, height, fps, bitrate_kbps,
           transport
    from camera_format where began_at <= :at order by camera_id, began_at desc
    """
)


class SeenFormat(NamedTuple):
    """One row. `last_at` is the last probe that saw it, to five minutes, and may lie after the instant asked for."""

    camera_id: str
    began_at: datetime
    last_at: datetime
    codec: str | None
    profile: str | None
    width: int | None
    height: int | None
    fps: float | None
    bitrate_kbps: float | None
    transport: str | None


async def at(session: AsyncSession, instant: Millis) -> dict[str, SeenFormat]:
    """Read the format that each camera was last seen to have by then, by the camera's id."""
    rows = await session.execute(_AT, {"at": moment(instant)})
    return {row.camera_id: SeenFormat(*row) for row in rows}


async def history(session: AsyncSession, camera_id: UUID, until: Millis) -> list[SeenFormat]:
    """Every format that one camera was seen to have by then, newest first."""
    table = camera_format
    statement = (
        select(table)
        .where(table.c.camera_id == camera_id, table.c.began_at <= moment(until))
        .order_by(table.c.began_at.desc())
    )
    return [SeenFormat(str(row.camera_id), *row[1:]) for row in await session.execute(statement)]

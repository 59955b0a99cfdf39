"""The ledger day by day: the rows of many cameras, with their deliveries, within a span of days."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.ledger import CAMERA_KINDS, CAMERA_SUMS, EPOCH_DATE, Day, date_of
from reporting.storage.availability.ledger import CameraRow, quoted
from reporting.storage.availability.packed import unpack
from reporting.storage.columns import columns

_CAMERAS = f"""
select array_agg(camera_id::text), array_agg(day - date '{EPOCH_DATE}'), array_agg(kind), array_agg(deliveries),
       {", ".join(f"array_agg(coalesce({quoted(name)}, 0))" for name in CAMERA_SUMS)}
from (
    select * from ledger_camera
    where camera_id = any(cast(%(ids)s as uuid[])) and day > %(first)s and day <= %(last)s
    order by camera_id, day
) as l
"""  # noqa: S608 - of our own names


async def camera_rows(
    session: AsyncSession, ids: Collection[str], first: Day, last: Day
) -> dict[str, dict[Day, CameraRow]]:
    """Read the rows of each camera that stand at midnights after `first`, up to `last`, by their day."""
    found: dict[str, dict[Day, CameraRow]] = {}
    for id_, day, kind, packed, *sums in zip(*await columns(session, _CAMERAS, _given(ids, first, last)), strict=True):
        found.setdefault(id_, {})[day] = CameraRow(day, CAMERA_KINDS[kind], sums, unpack(day, packed))
    return found


def _given(ids: Collection[str], first: Day, last: Day) -> dict[str, object]:
    return {"ids": f"{{{','.join(ids)}}}", "first": date_of(first), "last": date_of(last)}

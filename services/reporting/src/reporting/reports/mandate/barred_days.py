"""Days on which a facility certainly was not connected, by the ledger: its past need not be read for them again.

Late evidence opens a day as soon as the ledger is written anew, within a minute.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.ledger import Day
from reporting.domain.mandate.connection import SUSTAINED
from reporting.storage.availability import ledger
from reporting.storage.availability.unconnected import unconnected_days
from vonggac.sufficiency import OTHER_PUBLIC

type _Span = tuple[Day, Day]


@dataclass(frozen=True, slots=True)
class BarredDays:
    """By facility, days [first, last) in their order. No day is barred from `closed` on, where the ledger ends."""

    closed: Day | None
    spans: Mapping[UUID, list[_Span]]

    def open_from(self, facility_id: UUID, day: Day) -> Day:
        """Find the first day from `day` on that is not barred."""
        for first, last in self.spans.get(facility_id, ()):
            if first <= day < last:
                return last
        return day


NOTHING_BARRED = BarredDays(None, {})


async def barred_days(
    session: AsyncSession, facility_ids: Collection[UUID], areas: Mapping[str, str | None]
) -> BarredDays:
    """Days on which a camera that counts was in scope all day, and connected for less than half of SUSTAINED.

    Ten minutes that hold have half of them on one day at least, and every camera is connected in them.
    """
    closed = (await ledger.state(session)).closed_until
    if closed is None or not facility_ids:
        return BarredDays(closed, {})
    found: dict[UUID, list[_Span]] = {}
    for one in await unconnected_days(session, list(facility_ids), closed, SUSTAINED // 2):
        if areas.get(one.camera_id) != OTHER_PUBLIC:
            found.setdefault(one.facility_id, []).append((one.first, one.last))
    return BarredDays(closed, {facility_id: _joined(spans) for facility_id, spans in found.items()})


def _joined(spans: list[_Span]) -> list[_Span]:
    """Without overlap or neighbours, in their order."""
    result: list[_Span] = []
    for first, last in sorted(spans):
        if result and first <= result[-1][1]:
            result[-1] = result[-1][0], max(last, result[-1][1])
        else:
            result.append((first, last))
    return result

"""Deliveries as they were demanded: by camera and revision, to destinations that are dated themselves."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Text, Uuid, any_, cast, func, literal, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.scope import FOREVER, Delivery, Named, is_first, version_at
from reporting.domain.segments import Period, Segment
from reporting.storage.columns import renew_after
from reporting.storage.tables import delivery, delivery_proof, destination


class _Destination(NamedTuple):
    role: str
    required_proof: str
    enabled: bool
    known: bool


class Planned:
    """Deliveries by camera and revision, and the dated destinations that they go to."""

    def __init__(
        self,
        rows: Mapping[tuple[str, int], list[tuple[Any, ...]]],
        destinations: Mapping[str, list[Segment[_Destination]]],
        named: dict[str, Named],
    ) -> None:
        self._rows, self._destinations, self._named = rows, destinations, named

    def of(self, camera_id: str, revision: int, at: Millis) -> tuple[Delivery, ...]:
        """List the deliveries of a revision, as their destinations were at a moment."""
        return tuple([self._delivery(row, at) for row in self._rows.get((camera_id, revision), ())])

    def names(self, camera_id: str, revision: int) -> bool:
        """Whether a revision has a delivery at all."""
        return (camera_id, revision) in self._rows

    def _delivery(self, row: tuple[Any, ...], at: Millis) -> Delivery:
        _, _, id_, destination_id, code, proof, enabled, basis, exception, verified_at, delay_s = row
        versions = self._destinations.get(destination_id)
        if not versions:
            name = self._named.setdefault(destination_id, Named(UUID(destination_id), code, None))
            return Delivery(id_, name, None, proof, enabled, verified_at, delay_s, basis, exception)
        role, demanded, open_, known = versions[0][2] if len(versions) == 1 else version_at(versions, at)
        name, open_ = self._named[destination_id], open_ or not known
        return Delivery(id_, name, role, demanded, enabled and open_, verified_at, delay_s, basis, exception, known)

    @staticmethod
    async def read(session: AsyncSession, period: Period, camera_ids: Iterable[str] | None) -> "Planned":
        destinations: dict[str, list[Segment[_Destination]]] = {}
        named: dict[str, Named] = {}
        roles: dict[str, str] = {}
        rows_of = select(destination).where(not_(destination.c.removed))
        for row in await session.execute(rows_of.order_by(destination.c.id, destination.c.revision)):
            key = str(row.id)
            end = FOREVER if row.valid_to is None else millis(row.valid_to)
            named[key] = Named(row.id, row.code, row.name)
            if key not in roles or row.valid_from < moment(period.end):
                # What it is later puts nothing of the period in another order.
                roles[key] = row.role
            held = Segment(millis(row.valid_from), end, row.revision)
            for start, until, known in stretches(held, *missing_of(row)):
                version = _Destination(row.role, row.required_proof, row.enabled, known)
                keep_within(destinations.setdefault(key, []), Segment(start, until, version), period)
        statement = (
            select(
                delivery.c.camera_id.cast(Text).label("camera"),
                delivery.c.revision,
                delivery.c.id.cast(Text),
                delivery.c.destination_id.cast(Text).label("destination"),
                delivery.c.destination_code,
                delivery.c.required_proof,
                delivery.c.enabled,
                delivery.c.plan,
                delivery.c.plan_exception,
                delivery_proof.c.verified_at,
                delivery_proof.c.delay_s,
            )
            .outerjoin(delivery_proof, delivery_proof.c.delivery_id == delivery.c.id)
            .where(
                delivery.c.valid_from < moment(period.end),
                or_(delivery.c.valid_to.is_(None), delivery.c.valid_to > moment(period.start)),
            )
            .order_by(delivery.c.camera_id, delivery.c.revision, delivery.c.destination_code, delivery.c.id)
        )
        if camera_ids is not None:
            statement = statement.where(delivery.c.camera_id == any_(ids(camera_ids)))
        rows: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
        for key, group in groupby(await columns_of(session, statement), key=itemgetter(0, 1)):
            rows[key] = sorted(group, key=lambda row: roles.get(row[3], "\uffff"))
        return Planned(rows, destinations, named)


def missing_of(row: Any) -> tuple[Millis | None, Millis | None]:
    """When the revision of a row was made, None of one that an earlier release kept; and from when on those that
    followed are missing."""
    changed = None if row.read_until is None else millis(row.changed_at)
    return changed, None if row.unknown_from is None else millis(row.unknown_from)


def stretches(held: Segment[int], changed: Millis | None, unknown_from: Millis | None) -> list[Segment[bool]]:
    """List what is known of the time in which a revision, by its number, is the last that came here.

    Before the first one that came, others are missing if it is not the first of all; after the last, from then on.
    """
    start, end, revision = held
    since = start if changed is None or is_first(revision) else min(max(start, changed), end)
    until = end if unknown_from is None else min(max(since, unknown_from), end)
    found = Segment(start, since, False), Segment(since, until, True), Segment(until, end, False)
    return [one for one in found if one.end > one.start]


def keep_within[T](versions: list[Segment[T]], version: Segment[T], period: Period) -> None:
    """Versions that hold in the period; one that begins after it stands for the time before when there is none else."""
    start, end, _ = version
    if end > max(start, period.start) and (start < period.end or not versions):
        versions.append(version)


def ids(given: Iterable[UUID | str]) -> ColumnElement[Any]:
    """Ids as one parameter: a parameter each costs more than what it finds.

    Its type is that of the cast. A text that is cast would be read anew for every row that it is compared with.
    """
    return cast(literal(f"{{{','.join(map(str, given))}}}", NullType()), ARRAY(Uuid))


async def columns_of(session: AsyncSession, statement: Select[Any]) -> Iterable[tuple[Any, ...]]:
    """Read the rows of `statement`, carried over as one array per column: a row each costs more than what is in it."""
    inner = statement.subquery()
    found = (await session.execute(select(*(func.array_agg(one, type_=NullType()) for one in inner.c)))).one()
    columns = [column or () for column in found]
    await renew_after(session, columns)
    return zip(*columns, strict=True)

"""The inventory as reporting knows it. The higher revision wins, whatever the order of arrival."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Table, and_, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage import tables
from vonggac.events import Payload
from vonggac.events.inventory import AgencyV1, CameraV1, DestinationV1, DistrictV1, FacilityV1, RemovedV1

MIRRORED: Mapping[type[Payload], Table] = MappingProxyType(
    {
        AgencyV1: tables.agency,
        DistrictV1: tables.district,
        FacilityV1: tables.facility,
        DestinationV1: tables.destination,
        CameraV1: tables.camera,
    }
)
"""Focal points are people: reporting keeps none."""


async def apply(session: AsyncSession, states: Iterable[Payload]) -> None:
    """Bring the mirrors up to these states and removals."""
    newest: dict[type[Payload], dict[UUID, Any]] = {}
    for state in states:
        group = newest.setdefault(type(state), {})
        known = group.get(state.id)  # type: ignore[attr-defined] # every inventory payload has id and revision
        if known is None or known.revision < state.revision:  # type: ignore[attr-defined]
            group[state.id] = state  # type: ignore[attr-defined]
    removals = list(newest.pop(RemovedV1, {}).values())
    if removals:
        await _store_tombstones(session, removals)
    for kind, table in MIRRORED.items():
        states_of_kind = newest.get(kind, {})
        if states_of_kind:
            written = await _upsert(session, table, list(states_of_kind.values()))
            if kind is CameraV1:
                await _replace_deliveries(session, [states_of_kind[camera_id] for camera_id in written])
    if removals:
        await _remove(session, removals)


async def _upsert(session: AsyncSession, table: Table, states: Sequence[Any]) -> list[UUID]:
    """Insert or update; returns the ids that were written, which are those whose revision is news."""
    names = [column.name for column in table.columns]
    rows = [{name: _plain(getattr(state, name)) for name in names} for state in states]
    statement = insert(table).values(sorted(rows, key=lambda row: str(row["id"])))
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: statement.excluded[name] for name in names if name != "id"},
        where=table.c.revision < statement.excluded.revision,
    )
    written = set((await session.execute(statement.returning(table.c.id))).scalars())
    gone = select(tables.tombstone.c.id).where(
        tables.tombstone.c.id == table.c.id, tables.tombstone.c.revision >= table.c.revision
    )
    outdated = await session.execute(
        delete(table).where(table.c.id.in_(list(written)), exists(gone)).returning(table.c.id)
    )
    return list(written - set(outdated.scalars()))


async def _replace_deliveries(session: AsyncSession, cameras: Sequence[CameraV1]) -> None:
    """The plan comes whole with its camera: what it does not name is gone."""
    if not cameras:
        return
    table = tables.delivery
    rows = [
        {
            "id": planned.id,
            "camera_id": camera.id,
            "destination_id": planned.destination_id,
            "destination_code": planned.destination_code,
            "required_proof": planned.required_proof.value,
            "enabled": planned.enabled,
        }
        for camera in cameras
        for planned in camera.deliveries
    ]
    await session.execute(
        delete(table).where(
            table.c.camera_id.in_([camera.id for camera in cameras]), table.c.id.not_in([row["id"] for row in rows])
        )
    )
    if rows:
        statement = insert(table).values(sorted(rows, key=lambda row: str(row["id"])))
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["id"],
                set_={column.name: statement.excluded[column.name] for column in table.columns if column.name != "id"},
            )
        )


async def _store_tombstones(session: AsyncSession, removals: Sequence[RemovedV1]) -> None:
    """Remember removals, so that an older state that comes late does not bring a thing back."""
    rows = [{"id": one.id, "noun": one.noun, "revision": one.revision} for one in removals]
    statement = insert(tables.tombstone).values(sorted(rows, key=lambda row: str(row["id"])))
    higher = func.greatest(tables.tombstone.c.revision, statement.excluded.revision)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"revision": higher}))


async def _remove(session: AsyncSession, removals: Sequence[RemovedV1]) -> None:
    ids = [one.id for one in removals]
    for table in MIRRORED.values():
        gone = and_(tables.tombstone.c.id == table.c.id, tables.tombstone.c.revision >= table.c.revision)
        removed = await session.execute(
            delete(table)
            .where(table.c.id.in_(ids), exists(select(tables.tombstone.c.id).where(gone)))
            .returning(table.c.id)
        )
        if table is tables.camera and (cameras := list(removed.scalars())):
            await session.execute(delete(tables.delivery).where(tables.delivery.c.camera_id.in_(cameras)))


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str) else value

"""The register as reporting keeps it: dated, a row per revision, whatever the order of arrival."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, TextClause, and_, func, or_, select, text, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.scope import EPOCH
from reporting.storage import tables
from reporting.storage.upkeep import reading
from vonggac.events import Payload
from vonggac.events.inventory import AgencyV1, CameraV1, DestinationV1, FacilityV1, RemovedV1, State, UnitV1

NAMES: Mapping[type[Payload], Table] = MappingProxyType({AgencyV1: tables.agency, UnitV1: tables.unit})
"""Only named in reports: the newest name is kept, also after a removal."""
DATED: Mapping[type[Payload], Table] = MappingProxyType(
    {FacilityV1: tables.facility, DestinationV1: tables.destination, CameraV1: tables.camera}
)
KEPT = frozenset({*NAMES, *DATED})
"""Of these the accounts are made; `ingest.records` keeps what the mandate's process needs."""

# One writer at a time: rows are chained with what others may just be adding.
_LOCK = text("select pg_advisory_xact_lock(17420510)")

_CHAIN = """
    with chained as (
        select id, revision,
               case when lag(revision) over chain is null then least(changed_at, created_at) else changed_at end
                   as valid_from,
               lead(changed_at) over chain as valid_to,
               case when not removed and lead(revision) over chain > revision + 1
                         and lead(revision) over chain / {epoch} = revision / {epoch} then case
                   when lead(read_until) over chain < lead(changed_at) over chain
                       then greatest(changed_at, lead(read_until) over chain)
                   when lead(read_until) over chain is not null then changed_at
               end end as unknown_from,
               count(*) filter (where altered) over chain as stretch, changed_by, reason
        from (
            select *, {decided} is distinct from lag({decided}) over (partition by id order by revision)
                      or removed or lag(revision) over (partition by id order by revision) is null as altered
            from {table} where id = any(:ids)
        ) as version
        window chain as (partition by id order by revision)
    ), decided as (
        select chained.*, first_value(changed_by) over stretches as decided_by,
               first_value(reason) over stretches as decided_why
        from chained window stretches as (partition by id, stretch order by revision)
    )
    update {table} as version set valid_from = decided.valid_from, valid_to = decided.valid_to,
        unknown_from = decided.unknown_from, decided_by = decided.decided_by, decided_why = decided.decided_why
    from decided
    where version.id = decided.id and version.revision = decided.revision
      and (version.valid_from, version.valid_to, version.unknown_from, version.decided_by, version.decided_why)
          is distinct from (decided.valid_from, decided.valid_to, decided.unknown_from, decided.decided_by,
                            decided.decided_why)
"""


def _chain(table: str, decided: str) -> TextClause:
    return text(_CHAIN.format(table=table, decided=decided, epoch=EPOCH))


_CHAINS = {
    tables.facility.name: _chain("facility", "status"),
    tables.destination.name: _chain("destination", "enabled"),
    tables.camera.name: _chain("camera", "enabled"),
}
_CHAIN_DELIVERIES = text(
    """
    update delivery set valid_from = camera.valid_from, valid_to = camera.valid_to
    from camera
    where delivery.camera_id = camera.id and delivery.revision = camera.revision and camera.id = any(:ids)
      and (delivery.valid_from, delivery.valid_to) is distinct from (camera.valid_from, camera.valid_to)
    """
)


async def apply(session: AsyncSession, states: Iterable[State | RemovedV1]) -> set[tuple[UUID, int]]:
    """Keep these states and removals, each at its revision; twice or in any order makes no difference.

    States of nouns that are not KEPT pass by. Returns id and revision of the dated ones that were not on record so.
    """
    news: set[tuple[UUID, int]] = set()
    versions: dict[str, dict[tuple[UUID, int], State | RemovedV1]] = {}
    for state in states:
        if not isinstance(state, RemovedV1) and type(state) not in KEPT:
            continue
        noun = state.noun if isinstance(state, RemovedV1) else _TABLES[type(state)].name
        versions.setdefault(noun, {})[state.id, state.revision] = state
    await session.execute(_LOCK)
    for table in NAMES.values():
        named = [one for one in versions.get(table.name, {}).values() if not isinstance(one, RemovedV1)]
        if named:
            await _keep_newest(session, table, named)
    for table in DATED.values():
        if kept := versions.get(table.name):
            news |= await _keep_versions(session, table, list(kept.values()))
    return news


async def count_missing(session: AsyncSession) -> int:
    """How many stretches of time there are of which nobody knows what the register said of a thing."""
    statement = select(func.count()).select_from(
        union_all(
            *(
                select(table.c.id).where(
                    or_(
                        table.c.unknown_from.is_not(None),
                        and_(
                            table.c.valid_from < table.c.changed_at,
                            table.c.read_until.is_not(None),
                            table.c.revision % EPOCH > 1,
                        ),
                    )
                )
                for table in DATED.values()
            )
        ).subquery()
    )
    return (await session.execute(statement)).scalar_one()


_TABLES: Mapping[type[Payload], Table] = MappingProxyType({**NAMES, **DATED})


async def _keep_newest(session: AsyncSession, table: Table, states: Sequence[Any]) -> None:
    newest: dict[UUID, Any] = {}
    for state in sorted(states, key=lambda one: one.revision):
        newest[state.id] = state
    names = [column.name for column in table.columns]
    rows = [{name: _plain(getattr(state, name)) for name in names} for state in newest.values()]
    statement = insert(table).values(sorted(rows, key=lambda row: str(row["id"])))
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={name: statement.excluded[name] for name in names if name != "id"},
            where=table.c.revision < statement.excluded.revision,
        )
    )


_CHAINED = ("valid_from", "valid_to", "unknown_from", "decided_by", "decided_why")
"""Columns that follow from a thing's other revisions."""
_LEARNT = frozenset(
    {"address", "changed_at", "created_at", "founded_on", "installed_on", "mode", "responsible", "shared_device_reason"}
)
"""Columns that an earlier release, or a migration, could leave empty."""
_GIVEN = frozenset({"address", "founded_on", "installed_on"})
"""Those of them that an older register does not publish."""


async def _keep_versions(session: AsyncSession, table: Table, states: Sequence[Any]) -> set[tuple[UUID, int]]:
    names = [column.name for column in table.columns if column.name not in _CHAINED]
    readings = await reading.readings(session)
    rows = [
        {
            **_row(names, state),
            "valid_from": _changed_at(state),
            "read_until": reading.read_until(readings, _changed_at(state)),
        }
        for state in states
    ]
    statement = insert(table).values(sorted(rows, key=lambda row: (str(row["id"]), row["revision"])))
    # The same revision again says the same, or more: what a migration could not know.
    values: dict[str, ColumnElement[Any]] = {
        name: statement.excluded[name] for name in names if name not in {"id", "revision", "read_until"}
    }
    for name in _GIVEN & values.keys():
        # One revision says one thing: a message without it is of an older register.
        values[name] = func.coalesce(statement.excluded[name], table.c[name])
    statement = statement.on_conflict_do_update(
        index_elements=["id", "revision"],
        set_=values,
        where=or_(*(table.c[name].is_distinct_from(statement.excluded[name]) for name in names if name in _LEARNT)),
    )
    written = await session.execute(statement.returning(table.c.id, table.c.revision))
    news = {(row.id, row.revision) for row in written}
    ids = {"ids": sorted({state.id for state in states})}
    if table is tables.camera:
        await _keep_deliveries(session, [state for state in states if isinstance(state, CameraV1)])
    await session.execute(_CHAINS[table.name], ids)
    if table is tables.camera:
        await session.execute(_CHAIN_DELIVERIES, ids)
    return news


async def _keep_deliveries(session: AsyncSession, cameras: Sequence[CameraV1]) -> None:
    """Store the plan whole with its camera: what a revision does not name is not delivered any more."""
    rows = [
        {
            "camera_id": camera.id,
            "revision": camera.revision,
            "id": planned.id,
            "destination_id": planned.destination_id,
            "destination_code": planned.destination_code,
            "required_proof": planned.required_proof.value,
            "enabled": planned.enabled,
            "valid_from": camera.changed_at,
            "plan": None if planned.plan is None else planned.plan.value,
            "plan_exception": planned.plan_exception,
        }
        for camera in cameras
        for planned in camera.deliveries
    ]
    if rows:
        ordered = sorted(rows, key=lambda row: (str(row["camera_id"]), str(row["revision"]), str(row["id"])))
        statement = insert(tables.delivery).values(ordered)
        learnt, known = statement.excluded, tables.delivery.c
        statement = statement.on_conflict_do_update(
            index_elements=["camera_id", "revision", "id"],
            set_={"plan": learnt.plan, "plan_exception": learnt.plan_exception},
            where=or_(
                known.plan.is_distinct_from(learnt.plan),
                known.plan_exception.is_distinct_from(learnt.plan_exception),
            ),
        )
        await session.execute(statement)


def _row(names: Sequence[str], state: Any) -> dict[str, object]:
    row = {name: _plain(getattr(state, name, None)) for name in names}
    row["removed"] = isinstance(state, RemovedV1)
    row["changed_at"] = _changed_at(state)
    if isinstance(state, RemovedV1):
        row["changed_by"] = state.removed_by
    return row


def _changed_at(state: Any) -> datetime:
    changed: datetime = state.removed_at if isinstance(state, RemovedV1) else state.changed_at
    return changed


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str) else value

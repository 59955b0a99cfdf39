"""Stores rows of cameras: new ones by COPY, changed ones by one UPDATE, messages composed before the queue."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from sqlalchemy import delete, select

from inventory.importing.mistakes import Mistakes
from inventory.importing.planning.cameras import SEALED
from inventory.importing.planning.plan import Action, Plan, Planned
from inventory.nouns.writer import Write
from inventory.storage.bulk import copy_rows, update_rows
from inventory.storage.deliveries import copy_deliveries, planned_delivery
from inventory.storage.store import WriteTransaction, snapshot
from inventory.storage.tables import Camera, Delivery, Facility

CHUNK = 1000
_JSON = frozenset({"tls", "expected"})
_NOT_COLUMNS = frozenset({"destination_ids", "connect", "disconnect"})


async def store_cameras(writing: Write, plan: Plan, mistakes: Mistakes) -> None:
    """In a long write. Raises ProblemError 422 when a camera was changed meanwhile."""
    transaction = writing.transaction
    codes = {row.id: row.code for row in await transaction.session.execute(select(Facility.id, Facility.code))}
    new = [row for row in plan.rows if row.action is Action.CREATED]
    await _add_cameras(transaction, new, codes)
    changed = [row for row in plan.rows if row.action is Action.UPDATED]
    staged = [_staged(row, transaction.now) for row in changed]
    await transaction.prepare()
    simple = [row for row in staged if not (row.disconnect or row.connect or "facility_id" in row.names)]
    await transaction.prepare_changed([row.values for row in simple], [row.values["id"] for row in staged])
    await transaction.enter_queue()
    await _check_still_so(transaction, changed, mistakes)
    await _update_cameras(transaction, staged)
    await _connect(transaction, [row for row in staged if row.disconnect or row.connect], codes)


async def _add_cameras(transaction: WriteTransaction, rows: Sequence[Planned], codes: Mapping[UUID, str]) -> None:
    for start in range(0, len(rows), CHUNK):
        cameras: list[Camera] = []
        deliveries: list[Delivery] = []
        for row in rows[start : start + CHUNK]:
            camera = _new_camera(transaction, row)
            cameras.append(camera)
            code = codes[camera.facility_id]
            deliveries += [planned_delivery(camera, code, each) for each in row.extra["connect"]]
        await copy_rows(transaction.session, Camera, _COLUMNS, _cells(cameras))
        await copy_deliveries(transaction, deliveries)
        await asyncio.sleep(0)


def _new_camera(transaction: WriteTransaction, row: Planned) -> Camera:
    fields: Any = row.fields
    sealed = row.extra[SEALED]
    values = fields.model_dump(exclude=_NOT_COLUMNS) | {"probe_timeout_s": fields.timeout_s}
    camera = Camera(
        **values, id=uuid4(), sealed_secret=sealed, secret_changed_at=transaction.now if sealed is not None else None
    )
    transaction.prepare_new(camera)
    transaction.record_created(camera)
    return camera


_COLUMNS = tuple(column.key for column in Camera.__table__.columns)


def _cells(cameras: Sequence[Camera]) -> Iterator[tuple[Any, ...]]:
    for camera in cameras:
        yield tuple(_cell(name, getattr(camera, name)) for name in _COLUMNS)


def _cell(name: str, value: Any) -> Any:
    return Jsonb(value) if name in _JSON and value is not None else value


def _staged(row: Planned, now: datetime) -> Any:
    """The row as it will be, beside the row as it is; `names`: the columns that change."""
    assert row.present is not None
    values = dict(row.present) | {name: value for name, value in row.patch.items() if name not in _NOT_COLUMNS}
    if row.extra[SEALED] is not None:
        values |= {"sealed_secret": row.extra[SEALED], "secret_changed_at": now}
    names = {name for name, value in values.items() if value != row.present[name]}
    values |= {"revision": row.present["revision"] + 1, "changed_at": now}
    return SimpleNamespace(
        before=row.present, values=values, names=names,
        connect=row.extra["connect"], disconnect=row.extra["disconnect"],
    )  # fmt: skip


async def _check_still_so(transaction: WriteTransaction, rows: Sequence[Planned], mistakes: Mistakes) -> None:
    revisions = await transaction.session.execute(select(Camera.id, Camera.revision))
    now: dict[UUID | None, int] = {row.id: row.revision for row in revisions}
    for row in rows:
        assert row.present is not None
        if now.get(row.id) != row.present["revision"]:
            mistakes.add_phrase(
                row.line, "revision", "changed_meanwhile", given=row.present["revision"],
                now=now.get(row.id, "—"), who="", value=row.label,
            )  # fmt: skip
    mistakes.raise_if_any()


async def _update_cameras(transaction: WriteTransaction, staged: Sequence[Any]) -> None:
    if not staged:
        return
    names = sorted({name for row in staged for name in row.names})
    columns = [*names, "search", "revision", "changed_at"]

    def rows() -> Iterator[tuple[Any, ...]]:
        for row in staged:
            camera = Camera(**row.values)
            camera.search = camera.searchable()
            before = Camera(**row.before)
            transaction.log_change(camera, "changed", snapshot(before), snapshot(camera))
            yield (camera.id, *(_cell(name, getattr(camera, name)) for name in columns))

    await update_rows(transaction.session, Camera, columns, rows())


async def _connect(transaction: WriteTransaction, staged: Sequence[Any], codes: Mapping[UUID, str]) -> None:
    """Rare beside the rest: such cameras' messages are composed in the queue."""
    gone = [(row.values["id"], each) for row in staged for each in row.disconnect]
    if gone:
        cameras = {camera_id for camera_id, _ in gone}
        found = await transaction.session.scalars(select(Delivery).where(Delivery.camera_id.in_(cameras)))
        wanted = [each for each in found if (each.camera_id, each.destination_id) in set(gone)]
        for delivery in wanted:
            transaction.log_change(delivery, "removed", snapshot(delivery), None)
        await transaction.session.execute(delete(Delivery).where(Delivery.id.in_([each.id for each in wanted])))
    new = [
        planned_delivery(Camera(**row.values), codes[row.values["facility_id"]], each)
        for row in staged
        for each in row.connect
    ]
    if new:
        await copy_deliveries(transaction, new)

"""Stores rows of cameras before the queue: new ones by COPY, changed ones by one UPDATE, and their messages.

A row that is written, or ready to be, is forgotten: what waits is the text of its log and the cells of its update.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence, Set
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.camera import NewCamera, fitting_timeout
from inventory.domain.fields import folded_code
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.translated import translate
from inventory.importing.planning.cameras import LOGIN, Login
from inventory.importing.planning.plan import Action, Plan, Planned
from inventory.nouns.writer import Write
from inventory.storage.bulk import copy_rows
from inventory.storage.change_log import snapshot, snapshot_text
from inventory.storage.conflicts import code_alike, code_taken
from inventory.storage.deliveries import copy_deliveries, new_delivery
from inventory.storage.prepared import StagedUpdates, overtaken
from inventory.storage.queries.codes import is_alike
from inventory.storage.queries.sight import sees
from inventory.storage.states import delivery_parts, destination_parts
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Delivery, Destination, Facility
from inventory.storage.tables.base import DERIVED, derived_columns
from vonggac.auth import Sealer

CHUNK = 1000
_SEALED = "sealed"
_JSON = frozenset({"tls", "expected"})
_NOT_COLUMNS = frozenset({"destination_ids", "connect", "disconnect"})
_SECRET = frozenset({"sealed_secret", "secret_changed_at"})
_COLUMNS = tuple(column.key for column in Camera.__table__.columns)
_ordered = itemgetter(*_COLUMNS)
_DEFAULTS = {name: info.get_default() for name, info in NewCamera.model_fields.items() if not info.is_required()}


@dataclass(frozen=True, slots=True)
class Update:
    """A camera to change. `cells`: of the columns to write, `before` and `after` as the log shows them."""

    id: UUID
    cells: tuple[Any, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Link:
    """A camera of which deliveries come or go."""

    camera: Mapping[str, Any]
    connect: Sequence[Destination]
    disconnect: Sequence[UUID]


@dataclass(slots=True)
class _Changed:
    """All that waits for the queue."""

    updates: StagedUpdates
    links: list[_Link] = field(default_factory=list)
    places: dict[UUID, tuple[int, str, int]] = field(default_factory=dict)
    """Line and label of each camera's row, and the revision that was read."""


async def store_cameras(writing: Write, plan: Plan, mistakes: Mistakes) -> None:
    """In a long write, before it queues. Raises ProblemError 422 when a camera was changed or made meanwhile."""
    transaction = writing.transaction
    new = {row.given["code"]: row.line for row in plan.rows if row.action is Action.CREATED}
    codes = {row.id: row.code for row in await transaction.session.execute(select(Facility.id, Facility.code))}
    await transaction.prepare()
    # Read after it: who changes one from here on is found out before the commit.
    destinations = {each.id: each for each in await transaction.session.scalars(select(Destination))}
    try:
        async with transaction.session.begin_nested():
            await _add_cameras(writing, plan.take_rows(Action.CREATED), codes, destinations)
    except (IntegrityError, psycopg.IntegrityError):
        await _name_taken(transaction.session, new, mistakes)
        mistakes.raise_if_any()
        raise
    changed = await _prepare_changed(writing, plan.take_rows(Action.UPDATED))
    await _write_changed(transaction, changed, mistakes)
    await _connect(transaction, changed.links, codes)


async def _name_taken(session: AsyncSession, lines: Mapping[str, int], mistakes: Mistakes) -> None:
    """Every code that somebody has used meanwhile, or one almost like it."""
    given = {folded_code(code): code for code in lines}
    query = select(Camera.id, Camera.code).where(is_alike(Camera.__table__.c.code, lines))
    for other_id, other in await session.execute(query):
        code = given[folded_code(other)]
        shown = other if await sees(session, Camera, other_id) else None
        message = code_taken(Camera.__tablename__) if other == code else code_alike(shown)
        mistakes.add(lines[code], "code", translate(message), value=code)


async def _add_cameras(
    writing: Write, rows: list[Planned], codes: Mapping[UUID, str], destinations: Mapping[UUID, Destination]
) -> None:
    transaction = writing.transaction
    of_destination = {each.id: destination_parts(each) for each in destinations.values()}
    async with aclosing(_sealed(writing.sealer, rows)) as chunks:
        async for chunk in chunks:
            cameras: list[dict[str, Any]] = []
            deliveries: list[dict[str, Any]] = []
            parts: dict[UUID, list[Any]] = {}
            for row in chunk:
                camera = _new_camera(transaction.now, row)
                cameras.append(camera)
                for each in sorted(row.extra["connect"], key=attrgetter("code")):
                    destination = destinations.get(each.id)
                    if destination is None:
                        raise overtaken()
                    delivery = new_delivery(transaction.now, camera, codes[camera["facility_id"]], destination)
                    deliveries.append(delivery)
                    parts.setdefault(camera["id"], []).append(delivery_parts(delivery, of_destination[each.id]))
            await transaction.prepare_created(cameras, parts, partial(_write, transaction, cameras, deliveries))


async def _write(
    transaction: WriteTransaction, cameras: Sequence[Mapping[str, Any]], deliveries: Sequence[Mapping[str, Any]]
) -> None:
    await copy_rows(transaction.session, Camera, _COLUMNS, _cells(transaction, cameras))
    await copy_deliveries(transaction, deliveries)
    await transaction.log.write(transaction.session)


async def _sealed(sealer: Sealer, rows: list[Planned]) -> AsyncGenerator[list[Planned]]:
    """Seal the logins, and yield some rows at a time in their order: those that follow in a thread, outside Python.

    To be closed: a caller that fails leaves no task behind.
    """
    sealing = deque[asyncio.Task[list[Planned]]]()
    try:
        for chunk in _pop_chunks(rows):
            sealing.append(asyncio.create_task(asyncio.to_thread(_seal, sealer, chunk)))
            if len(sealing) > 1:
                yield await sealing.popleft()
        while sealing:
            yield await sealing.popleft()
    finally:
        for task in sealing:
            task.cancel()
        await asyncio.gather(*sealing, return_exceptions=True)


def _seal(sealer: Sealer, rows: list[Planned]) -> list[Planned]:
    for row in rows:
        login: Login | None = row.extra[LOGIN]
        row.extra[_SEALED] = None if login is None else sealer.seal(login.credentials, *login.origins)
    return rows


def _pop_chunks(rows: list[Planned]) -> Iterator[list[Planned]]:
    """Yield some rows at a time, in their order; the list forgets them."""
    rows.reverse()
    while rows:
        chunk = rows[: -CHUNK - 1 : -1]
        del rows[-CHUNK:]
        yield chunk


def _new_camera(now: datetime, row: Planned) -> dict[str, Any]:
    """Its columns. What the row gives was checked when it was planned."""
    sealed = row.extra[_SEALED]
    given = {**_DEFAULTS, **row.given}
    values = {name: _plain(value) for name, value in given.items() if name not in _NOT_COLUMNS}
    timeout_s = fitting_timeout(values["probe_timeout_s"], values["probe_interval_s"])
    values |= {
        "id": uuid4(),
        "revision": 1,
        "created_at": now,
        "changed_at": now,
        "probe_timeout_s": timeout_s,
        "sealed_secret": sealed,
        "secret_changed_at": now if sealed is not None else None,
        **derived_columns(Camera, values),
    }
    return values


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else value


def _cells(transaction: WriteTransaction, cameras: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for camera in cameras:
        transaction.log.add_row(transaction.now, Camera, camera["id"], None, snapshot_text(Camera, camera))
        yield _ordered({**camera, **{name: _cell(name, camera[name]) for name in _JSON}})


def _cell(name: str, value: Any) -> Any:
    return Jsonb(value) if name in _JSON and value is not None else value


async def _prepare_changed(writing: Write, rows: list[Planned]) -> _Changed:
    transaction = writing.transaction
    columns = update_columns({name for row in rows for name in _names(row)})
    changed = _Changed(StagedUpdates(transaction.session, Camera, columns, transaction.now))
    async with aclosing(_sealed(writing.sealer, rows)) as chunks:
        async for chunk in chunks:
            updates: list[Update] = []
            whole: list[Mapping[str, Any]] = []
            others: list[UUID] = []
            for row in chunk:
                assert row.present is not None
                patch = _patch(row, transaction.now)
                values = next_state(row.present, patch, transaction.now, columns)
                updates.append(update_of(row.present, values, columns))
                changed.places[values["id"]] = (row.line, row.label, row.present["revision"])
                links = row.extra["connect"] or row.extra["disconnect"]
                if links:
                    camera = {name: values[name] for name in ("id", "code", "facility_id")}
                    changed.links.append(_Link(camera, row.extra["connect"], row.extra["disconnect"]))
                if links or "facility_id" in patch:
                    others.append(values["id"])
                else:
                    whole.append(values)
            for update in updates:
                transaction.log.add_row(transaction.now, Camera, update.id, update.before, update.after)
            await transaction.log.write(transaction.session)
            await changed.updates.add([(update.id, *update.cells) for update in updates])
            await transaction.prepare_changed(whole)
            transaction.publish_later(others)
    return changed


def _names(row: Planned) -> Set[str]:
    """Of the columns that `_patch` changes."""
    secret = frozenset() if row.extra[LOGIN] is None else _SECRET
    return (row.patch.keys() - _NOT_COLUMNS) | secret


def _patch(row: Planned, now: datetime) -> dict[str, Any]:
    patch = {name: value for name, value in row.patch.items() if name not in _NOT_COLUMNS}
    if row.extra[_SEALED] is not None:
        patch |= {"sealed_secret": row.extra[_SEALED], "secret_changed_at": now}
    return patch


def update_columns(names: set[str]) -> list[str]:
    """List the columns to write of cameras of which these change."""
    derived = DERIVED if names & {*Camera.searched, Camera.ordered} else ()
    return [*sorted(names), *derived, "revision", "changed_at"]


def next_state(
    before: Mapping[str, Any], patch: Mapping[str, Any], now: datetime, columns: Sequence[str]
) -> dict[str, Any]:
    """Compute a camera's columns with `patch`, written at `now`; what is made of others only where it is written."""
    values = {**before, **patch, "revision": before["revision"] + 1, "changed_at": now}
    return values | derived_columns(Camera, values) if DERIVED.issubset(columns) else values


def update_of(before: Mapping[str, Any], values: Mapping[str, Any], columns: Sequence[str]) -> Update:
    """Build the change of a camera from one state to the next."""
    cells = tuple(_cell(name, values[name]) for name in columns)
    shown = snapshot_text(Camera, before), snapshot_text(Camera, values)
    return Update(values["id"], cells, *shown)


async def _write_changed(transaction: WriteTransaction, changed: _Changed, mistakes: Mistakes) -> None:
    for camera_id, revision in (await changed.updates.write(transaction.now)).items():
        line, label, read = changed.places[camera_id]
        now = "—" if revision is None else revision
        mistakes.add_phrase(line, "revision", "changed_meanwhile", given=read, now=now, who="", value=label)
    mistakes.raise_if_any()


async def _connect(transaction: WriteTransaction, links: Sequence[_Link], codes: Mapping[UUID, str]) -> None:
    """Rare beside the rest: such cameras' messages are composed in the queue."""
    gone = {(link.camera["id"], each) for link in links for each in link.disconnect}
    if gone:
        cameras = {camera_id for camera_id, _ in gone}
        found = await transaction.session.scalars(select(Delivery).where(Delivery.camera_id.in_(cameras)))
        wanted = [each for each in found if (each.camera_id, each.destination_id) in gone]
        for delivery in wanted:
            transaction.log_change(delivery, "removed", snapshot(delivery), None)
        await transaction.session.execute(delete(Delivery).where(Delivery.id.in_([each.id for each in wanted])))
    new = [
        new_delivery(transaction.now, link.camera, codes[link.camera["facility_id"]], each)
        for link in links
        for each in link.connect
    ]
    if new:
        await copy_deliveries(transaction, new)

"""Cameras and their deliveries as they were before an import, all at once: there may be twenty thousand.

Their rows are held: nobody else writes them meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, delete, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.importing.storing.cameras import next_state, update_columns, update_of
from inventory.importing.storing.effects import Effect, TakenBack, patch_back
from inventory.nouns.devices.declared import CAMERA, DELIVERY
from inventory.storage.change_log import snapshot, snapshot_text
from inventory.storage.conflicts import busy
from inventory.storage.deliveries import copy_deliveries, new_delivery
from inventory.storage.prepared import StagedUpdates
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Delivery, Destination, Facility
from inventory.storage.tables.base import DERIVED

CHUNK = 1000
PLAIN = frozenset(
    {
        "name", "enabled", "area", "transport", "forward_audio", "probe_interval_s", "probe_timeout_s", "vendor",
        "model", "firmware", "firmware_released_on", "default_password_changed", "cloud_access", "certificate",
        "certificate_valid_until", "time_source", "verified_on", "verified_by", "valid_from", "valid_to",
    }
)  # fmt: skip
"""Fields that no rule ties to another record. A camera that nobody touched since was right with them before."""
_STATED = tuple(column for column in Camera.__table__.c if column.name not in DERIVED)
"""What is on record of a camera, without what belongs to the search."""
_PLAIN_DELETE = {"synchronize_session": False}


async def restore_cameras(transaction: WriteTransaction, effects: Sequence[Effect], result: TakenBack) -> list[Effect]:
    """Those of which only plain fields were changed; returns the others, for which the rules have to be asked."""
    patches = {each.id: patch_back(CAMERA, each) for each in effects}
    others = [each for each in effects if not PLAIN.issuperset(patches[each.id])]
    plain = [each.id for each in effects if PLAIN.issuperset(patches[each.id])]
    columns = update_columns({name for each in plain for name in patches[each]})
    staged = StagedUpdates(transaction.session, Camera, columns, transaction.now)
    for start in range(0, len(plain), CHUNK):
        query = select(*_STATED).where(Camera.id == _any_of(plain[start : start + CHUNK]))
        updates: list[tuple[Any, ...]] = []
        whole: list[dict[str, Any]] = []
        for row in (await transaction.session.execute(query)).mappings():
            result.restored += 1
            if patch := patches[row["id"]]:
                before = dict(row)
                after = next_state(before, patch, transaction.now, columns)
                update = update_of(before, after, columns)
                transaction.log.add_row(transaction.now, Camera, update.id, update.before, update.after)
                updates.append((update.id, *update.cells))
                whole.append(after)
        await staged.add(updates)
        await transaction.write_log()
        await transaction.prepare_changed(whole)
    if await staged.write(transaction.now):
        raise busy()
    return others


async def remove_cameras(transaction: WriteTransaction, effects: Sequence[Effect], result: TakenBack) -> None:
    """Cameras that the import created, with their deliveries: read as rows, for nothing asks for objects of them."""
    for start in range(0, len(effects), CHUNK):
        some = _any_of([each.id for each in effects[start : start + CHUNK]])
        deliveries = select(*Delivery.__table__.c).where(Delivery.camera_id == some)
        for row in await _rows(transaction.session, deliveries):
            shown = snapshot_text(Delivery, row)
            transaction.log.add_row(transaction.now, Delivery, row["id"], shown, None)
        for row in await _rows(transaction.session, select(*_STATED).where(Camera.id == some)):
            transaction.record_removed(Camera, row)
            result.removed += 1
        await transaction.write_log()
    gone = [each.id for each in effects]
    if gone:
        for statement in (
            delete(Delivery).where(Delivery.camera_id == _any_of(gone)),
            delete(Camera).where(Camera.id == _any_of(gone)),
        ):
            await transaction.session.execute(statement, execution_options=_PLAIN_DELETE)


async def _rows(session: AsyncSession, query: Select[Any]) -> Sequence[Mapping[str, Any]]:
    return cast("Sequence[Mapping[str, Any]]", (await session.execute(query)).mappings().all())


async def restore_connections(transaction: WriteTransaction, effects: Sequence[Effect], result: TakenBack) -> None:
    """Deliveries that the import made are removed, those that it removed are made again, under their ids.

    `effects`: of cameras that stay and that nobody touched since.
    """
    made = [each.id for each in effects if each.action == "created" and each.after is not None]
    for start in range(0, len(made), CHUNK):
        query = select(Delivery).where(Delivery.id == _any_of(made[start : start + CHUNK]))
        for delivery in (await transaction.session.scalars(query)).all():
            transaction.log_change(delivery, "removed", snapshot(delivery), None)
            transaction.mark_stale([delivery.camera_id])
            transaction.session.expunge(delivery)
            result.removed += 1
    if made:
        statement = delete(Delivery).where(Delivery.id == _any_of(made))
        await transaction.session.execute(statement, execution_options=_PLAIN_DELETE)
    lost = [each for each in effects if each.action == "removed" and each.after is None and each.before is not None]
    for start in range(0, len(lost), CHUNK):
        await _make_again(transaction, lost[start : start + CHUNK], result)


async def _make_again(transaction: WriteTransaction, lost: Sequence[Effect], result: TakenBack) -> None:
    session = transaction.session
    ids = [UUID(_before(each)["camera_id"]) for each in lost]
    of_cameras = select(Camera.id, Camera.code, Facility.code.label("facility_code"))
    query = of_cameras.join(Facility, Facility.id == Camera.facility_id).where(Camera.id == _any_of(ids))
    cameras = {row.id: row for row in await session.execute(query)}
    destinations = {each.id: each for each in await session.scalars(select(Destination))}
    pairs = select(Delivery.camera_id, Delivery.destination_id).where(Delivery.camera_id == _any_of(ids))
    there = {(row.camera_id, row.destination_id) for row in await session.execute(pairs)}
    new: list[dict[str, Any]] = []
    for each in lost:
        before = _before(each)
        camera, destination = cameras.get(UUID(before["camera_id"])), destinations.get(UUID(before["destination_id"]))
        if camera is None or destination is None or (camera.id, destination.id) in there:
            result.left.append(each.left("the camera has another one, or the destination is gone / đã có kết nối khác"))
            continue
        columns = {"id": camera.id, "code": camera.code}
        made = new_delivery(transaction.now, columns, camera.facility_code, destination)
        new.append(made | _earlier_delivery(each))
    await copy_deliveries(transaction, new)
    transaction.mark_stale(each["camera_id"] for each in new)
    result.restored += len(new)


def _earlier_delivery(effect: Effect) -> dict[str, Any]:
    """Find what of a delivery does not follow from its camera and its destination."""
    fields = DELIVERY.fields.model_validate({name: _before(effect).get(name) for name in DELIVERY.fields.model_fields})
    own = fields.model_dump(exclude={"camera_id", "destination_id"})
    return own | {"id": effect.id}


def _before(effect: Effect) -> Any:
    assert effect.before is not None
    return effect.before


def _any_of(ids: Sequence[UUID]) -> Any:
    return any_(literal(list(ids), ARRAY(Uuid)))

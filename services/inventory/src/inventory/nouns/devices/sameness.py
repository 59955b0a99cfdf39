"""The rules of devices that need other records: channels of recorders, one device under two cameras or recorders."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.recorder import ELSEWHERE, check_channel
from inventory.domain.devices.sameness import IN_BRACKETS, Device, find_same, one_device
from inventory.nouns.mandate.states import check_happened
from inventory.storage.conflicts import (
    field_conflict,
    invalid,
    reason_missing,
    refuse_as_422,
    unknown_reference,
)
from inventory.storage.queries.plans import is_agreed_on
from inventory.storage.queries.sight import sees
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Destination, Recorder
from vonggac.net.sameness import normal_host, normal_serial

OF_ANOTHER = "of another facility"
"""In place of the code of a camera or recorder that the caller does not see."""
_FIELDS = {"serial": "expected.serial", "mac": "expected.mac"}


async def check_camera(transaction: WriteTransaction, before: Camera | None, after: Camera | None) -> None:
    """Raise ProblemError 422 for a channel that its recorder lacks, 409 for a device that another camera has.

    422 without a reason for a recorder of another facility, unless it is on record so.
    """
    if after is None:
        return
    check_happened(transaction.now, before, after, "verified_on")
    await _check_code(transaction, before, after)
    await _check_recorder(transaction, before, after)
    if after.shared_device_reason is not None:
        return
    if before is not None and before.shared_device_reason is None and _device(before) == _device(after):
        return
    for same in find_same(_device(after), await _candidates(transaction.session, after)):
        raise field_conflict(_FIELDS.get(same.field, same.field), same.advice)


async def _check_recorder(transaction: WriteTransaction, before: Camera | None, camera: Camera) -> None:
    if camera.recorder_id is None or camera.channel is None:
        return
    recorder = await transaction.session.get(Recorder, camera.recorder_id)
    if recorder is None:
        raise unknown_reference("recorder_id", "recorder")
    with refuse_as_422("channel"):
        check_channel(camera.channel, recorder.channels)
    stays = before is not None and _place(before) == _place(camera)
    if recorder.facility_id != camera.facility_id and not stays and transaction.actor.reason is None:
        raise invalid("recorder_id", ELSEWHERE)


def _place(camera: Camera) -> tuple[UUID | None, UUID]:
    return camera.recorder_id, camera.facility_id


async def check_destination(
    transaction: WriteTransaction, before: Destination | None, after: Destination | None
) -> None:
    """Raise ProblemError 422 without a reason for another code than the one that agreed plans name."""
    if after is not None:
        await _check_code(transaction, before, after)


async def _check_code(
    transaction: WriteTransaction, before: Camera | Destination | None, after: Camera | Destination
) -> None:
    """Check a new code: a plan forwards what it names under that code alone, another one switches it off (R04)."""
    if before is None or before.code == after.code or transaction.actor.reason is not None:
        return
    of_camera = isinstance(after, Camera)
    named = {"camera_code" if of_camera else "destination_code": before.code}
    if await is_agreed_on(transaction.session, **named):
        what = f"another code than {before.code}, under which an agreed plan has it forwarded,"
        raise invalid("reason", f"is missing: {reason_missing(what)}")


async def check_recorder(transaction: WriteTransaction, before: Recorder | None, after: Recorder | None) -> None:
    """Raise ProblemError 422 for a recorder that no longer has a channel which a camera plays.

    422 without a reason when it leaves cameras behind that play it; 409 for a device that another recorder has, known
    by its serial number or MAC address.
    """
    if after is None:
        return
    if before is not None and after.channels < before.channels:
        await _check_channels(transaction.session, after)
    moves = before is not None and after.facility_id != before.facility_id
    if moves and transaction.actor.reason is None:
        await _check_stays_with_cameras(transaction.session, after)
    if after.shared_device_reason is None:
        await _check_other_recorders(transaction.session, before, after)


async def _check_channels(session: AsyncSession, after: Recorder) -> None:
    played = select(Camera.id, Camera.code, Camera.channel)
    played = played.where(Camera.recorder_id == after.id, Camera.channel > after.channels)
    row = (await session.execute(played.order_by(Camera.channel).limit(1))).first()
    if row is not None:
        code = await to_visible_code(session, row)
        message = f"camera {code} plays channel {row.channel}: give it another channel first, or keep that many"
        raise invalid("channels", message)


async def _check_stays_with_cameras(session: AsyncSession, after: Recorder) -> None:
    left = select(Camera.id, Camera.code).where(Camera.recorder_id == after.id, Camera.facility_id != after.facility_id)
    row = (await session.execute(left.order_by(Camera.code).limit(1))).first()
    if row is not None:
        message = f"camera {await to_visible_code(session, row)} plays it and stays behind: send the parameter reason"
        raise invalid("facility_id", f"{message}, then move it")


async def _check_other_recorders(session: AsyncSession, before: Recorder | None, after: Recorder) -> None:
    marks = _marks(after)
    if before is not None and before.shared_device_reason is None and _marks(before) == marks:
        # What was on record before this rule stays.
        return
    for field, value in marks.items():
        column: Any = Recorder.mac if field == "mac" else _folded_serial(Recorder.serial)
        query = select(Recorder.id, Recorder.code).where(Recorder.id != after.id, column == value)
        row = (await session.execute(query.order_by(Recorder.code).limit(1))).first()
        if row is not None:
            raise field_conflict(field, one_device("recorder", await to_visible_code(session, row, Recorder), field))


def _marks(recorder: Recorder) -> dict[str, str]:
    marks = {"mac": recorder.mac, "serial": normal_serial(recorder.serial) if recorder.serial else None}
    return {field: value for field, value in marks.items() if value}


def _folded_serial(column: Any) -> ColumnElement[str]:
    """As `normal_serial`."""
    return func.lower(func.regexp_replace(column, r"\s", "", "g"))


async def _candidates(session: AsyncSession, camera: Camera) -> Sequence[Device]:
    device = _device(camera)
    hosts = {normal_host(url) for url in (camera.url, camera.sub_url) if url}
    urls = (Camera.url, Camera.sub_url)
    same = [url.icontains(host, autoescape=True) for url in urls for host in hosts]
    same += [url.contains(IN_BRACKETS, autoescape=True) for url in urls]
    same += [Camera.recorder_id == camera.recorder_id] if camera.recorder_id is not None else []
    same += [Camera.expected["mac"].astext == device.mac] if device.mac else []
    serial = _folded_serial(Camera.expected["serial"].astext)
    same += [serial == normal_serial(device.serial)] if device.serial else []
    query = select(Camera.id, Camera.code, *DEVICE).where(Camera.id != camera.id, or_(*same))
    found = (await session.execute(query)).all()
    return [device_of(row.id, await to_visible_code(session, row), *row[2:]) for row in found]


async def to_visible_code(session: AsyncSession, row: Any, kind: type[Camera | Recorder] = Camera) -> str:
    """Return the code of another camera or recorder, for whom may see it."""
    return str(row.code) if await sees(session, kind, row.id) else OF_ANOTHER


def _device(camera: Camera) -> Device:
    values = (camera.url, camera.expected, camera.sub_url, camera.recorder_id, camera.channel)
    return device_of(camera.id, camera.code, *values)


DEVICE = (Camera.url, Camera.expected, Camera.sub_url, Camera.recorder_id, Camera.channel)
"""The columns that `device_of` needs beside id and code."""


def device_of(
    camera_id: UUID,
    code: str,
    url: str,
    expected: Mapping[str, Any] | None,
    sub_url: str | None,
    recorder_id: UUID | None,
    channel: int | None,
) -> Device:
    """Build the device of a camera on record."""
    known = expected or {}
    return Device(camera_id, code, url, known.get("serial"), known.get("mac"), sub_url, recorder_id, channel)

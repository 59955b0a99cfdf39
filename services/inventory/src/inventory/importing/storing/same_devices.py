"""Cameras of a file beside those that others wrote since it was compared: no device comes under two cameras."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from inventory.domain.devices.sameness import Devices, one_device
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.translated import translate
from inventory.importing.planning.plan import Plan
from inventory.nouns.devices.sameness import DEVICE, OF_ANOTHER, device_of
from inventory.storage.queries.cursors import open_cursor
from inventory.storage.queries.sight import sees
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Change


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows whose devices must be no other camera's: code to line; the instant whose cameras they were compared with.

    None: there was none. What others have changed after it may not have been seen.
    """

    lines: Mapping[str, int]
    instant: datetime | None

    @classmethod
    def of(cls, plan: Plan, instant: datetime | None) -> "Compared":
        """Before the rows of `plan` are taken."""
        return cls({row.extra["device"].code: row.line for row in plan.rows if row.extra["is_asked"]}, instant)


async def find_same_meanwhile(transaction: WriteTransaction, compared: Compared, mistakes: Mistakes) -> None:
    """In the queue, when the rows are written: the mistakes of those that are a camera of somebody else's by now."""
    if not compared.lines:
        return
    session = transaction.session
    # As a set, hashed once: a join is planned by what was known of the table before the file came.
    ours = select(Change.thing_id).where(Change.request_id == transaction.actor.request_id, Change.noun == Camera.noun)
    query = select(Camera.id, Camera.code, *DEVICE).where(Camera.id.not_in(ours))
    if compared.instant is not None:
        query = query.where(Camera.changed_at > compared.instant)
    others = {row.code: row for row in await session.execute(query)}
    if not others:
        return
    devices = Devices()
    for row in others.values():
        devices.add(device_of(*row))
    written = select(Camera.id, Camera.code, *DEVICE).where(Camera.id.in_(ours), Camera.shared_device_reason.is_(None))
    async with open_cursor(session, written) as found:
        async for row in found:
            device = device_of(*row)
            same = devices.find_same(device) if device.code in compared.lines else None
            if same is not None:
                other = same.code if await sees(session, Camera, others[same.code].id) else OF_ANOTHER
                text = translate(one_device("camera", other, same.field))
                mistakes.add(compared.lines[device.code], same.field, text, value=getattr(device, same.field))

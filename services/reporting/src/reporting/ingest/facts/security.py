"""What probes observed of each camera's security: a row where a sign changed, and until when it was seen.

A fact that is older than the newest row of its sign begins no row: what came late is said again in a few hours.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.mandate.tables import camera_security
from vonggac.events import Payload
from vonggac.events.prober import CameraObservedV1, SecuritySigns

_NEWEST = text(
    "select distinct on (camera_id, sign) camera_id, sign, began_at, last_at, value from camera_security "
    "where camera_id = any(:ids) order by camera_id, sign, began_at desc"
)


class Sign(NamedTuple):
    """One row: what was seen from the first time to the last one."""

    camera_id: UUID
    sign: str
    began_at: datetime
    last_at: datetime
    value: str


def signs(facts: Iterable[Payload]) -> list[Sign]:
    """List what was seen, by time."""
    found = (
        sign
        for fact in facts
        if isinstance(fact, CameraObservedV1) and fact.security is not None
        for sign in _signs_of(fact.camera_id, fact.security)
    )
    return sorted(found, key=lambda sign: sign.began_at)


def _signs_of(camera_id: UUID, security: SecuritySigns) -> Iterator[Sign]:
    asks = None if security.device_asks_login is None else str(security.device_asks_login).lower()
    for sign, at, value in (
        ("login_scheme", security.stream_at, security.login_scheme),
        ("device_asks_login", security.device_at, asks),
        ("firmware", security.device_at, security.firmware),
    ):
        if at is not None and value is not None:
            yield Sign(camera_id, sign, at, at, value)


async def record(session: AsyncSession, seen: list[Sign]) -> None:
    """Keep what is new; twice makes no difference."""
    if not seen:
        return
    asked = {"ids": sorted({one.camera_id for one in seen})}
    newest = {(row.camera_id, row.sign): Sign(*row) for row in await session.execute(_NEWEST, asked)}
    rows: dict[tuple[UUID, str, datetime], Sign] = {}
    for one in seen:
        key = one.camera_id, one.sign
        known = newest.get(key)
        if known is not None and one.last_at <= known.last_at:
            continue
        new = one if known is None or known.value != one.value else known._replace(last_at=one.last_at)
        newest[key] = rows[*key, new.began_at] = new
    if rows:
        statement = insert(camera_security)
        kept = {"last_at": statement.excluded.last_at}
        values = [rows[key]._asdict() for key in sorted(rows, key=lambda key: (str(key[0]), key[1], key[2]))]
        keys = ["camera_id", "sign", "began_at"]
        await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=kept), values)

"""What probes observed of each camera's security, as stored."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.mandate.camera_security import Known

_AT = text(
    "select distinct on (camera_id, sign) camera_id::text, sign, least(last_at, :at) as last_at, value "
    "from camera_security where began_at <= :at order by camera_id, sign, began_at desc"
)
_TRUTHS = {"true": True, "false": False}


async def at(session: AsyncSession, instant: Millis) -> dict[str, dict[str, Known]]:
    """Read what was seen last by then, by the camera's id and the sign."""
    found: dict[str, dict[str, Known]] = {}
    for row in await session.execute(_AT, {"at": moment(instant)}):
        value: Any = _TRUTHS.get(row.value) if row.sign == "device_asks_login" else row.value
        found.setdefault(row.camera_id, {})[row.sign] = Known(value, millis(row.last_at))
    return found

"""What format each camera was seen to send (R15): a row where it changed, and until when it was seen.

A probe that measured only some of it says nothing of the rest. Frame rates waver: only a tenth more or less is another.
A fact that is older than the newest row begins no row: the next probe says the same again.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.mandate.tables import camera_format
from vonggac.events import Payload
from vonggac.events.prober import CameraObservedV1, Media

SEEN_EVERY = timedelta(minutes=5)
"""A row is touched at most so often while the format stays the same."""
WAVERS = 0.1
"""A frame rate within this share of the known one is the same."""

_NEWEST = text(
    "select distinct on (camera_id) * from camera_format where camera_id = any(:ids) order by camera_id, began_at desc"
)


@dataclass(frozen=True, slots=True)
class Format:
    """One row. What was never measured is None."""

    camera_id: UUID
    began_at: datetime
    last_at: datetime
    codec: str | None
    profile: str | None
    width: int | None
    height: int | None
    fps: float | None
    bitrate_kbps: float | None
    transport: str | None


def formats(facts: Iterable[Payload]) -> dict[UUID, list[Format]]:
    """Collect what was measured of each camera, by time."""
    found: dict[UUID, list[Format]] = {}
    for fact in facts:
        if isinstance(fact, CameraObservedV1) and fact.media is not None and fact.media.codec is not None:
            found.setdefault(fact.camera_id, []).append(_format(fact, fact.media))
    for seen in found.values():
        seen.sort(key=lambda one: one.began_at)
    return found


def _format(fact: CameraObservedV1, media: Media) -> Format:
    return Format(
        fact.camera_id,
        fact.observed_at,
        fact.observed_at,
        media.codec,
        media.profile,
        media.width,
        media.height,
        media.fps,
        media.bitrate_kbps,
        media.transport,
    )


def changed(known: Format, seen: Format) -> bool:
    """Whether something that both measured differs."""
    for name in ("codec", "width", "height", "transport"):
        before, after = getattr(known, name), getattr(seen, name)
        if before is not None and after is not None and before != after:
            return True
    if known.fps is None or seen.fps is None:
        return False
    return abs(seen.fps - known.fps) > max(1.0, WAVERS * known.fps)


def added(known: Format, seen: Format) -> Format:
    """Add a new sighting to the known row: what it lacked is filled in; bit rate and time are the newest."""
    filled = {
        name: getattr(seen, name)
        for name in ("codec", "profile", "width", "height", "fps", "transport")
        if getattr(known, name) is None
    }
    rate = known.bitrate_kbps if seen.bitrate_kbps is None else seen.bitrate_kbps
    return replace(known, last_at=max(known.last_at, seen.last_at), bitrate_kbps=rate, **filled)


async def record(session: AsyncSession, seen: dict[UUID, list[Format]]) -> None:
    """Keep what is new."""
    if not seen:
        return
    newest = {row.camera_id: Format(*row) for row in await session.execute(_NEWEST, {"ids": sorted(seen)})}
    rows: dict[tuple[UUID, datetime], Format] = {}
    for camera_id, found in seen.items():
        known = newest.get(camera_id)
        for one in found:
            if known is None:
                known = rows[camera_id, one.began_at] = one
            elif one.began_at > known.began_at and changed(known, one):
                # It may be a mixture of what two probes measured in part: begin with what this one did.
                known = rows[camera_id, one.began_at] = one
            elif one.began_at > known.began_at and _worth_keeping(known, one):
                known = rows[camera_id, known.began_at] = added(known, one)
    if rows:
        await _write(session, [asdict(rows[key]) for key in sorted(rows, key=lambda key: (str(key[0]), key[1]))])


def _worth_keeping(known: Format, seen: Format) -> bool:
    if seen.last_at - known.last_at >= SEEN_EVERY:
        return True
    names = ("codec", "width", "height", "fps", "bitrate_kbps", "transport")
    return any(getattr(known, name) is None and getattr(seen, name) is not None for name in names)


async def _write(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    # One statement for however many rows: one of its own for each number of them would be prepared and kept.
    statement = insert(camera_format)
    values = {name: statement.excluded[name] for name in rows[0] if name not in {"camera_id", "began_at"}}
    await session.execute(statement.on_conflict_do_update(index_elements=["camera_id", "began_at"], set_=values), rows)

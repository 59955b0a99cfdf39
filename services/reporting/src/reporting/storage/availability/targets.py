"""Targets of availability and compliance: data, dated, never changed for a time that has begun."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Select, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, format_instant, millis
from reporting.storage.availability.tables import availability_target as table


class Target(NamedTuple):
    """From `valid_from` on until the next one of its metric."""

    metric: str
    valid_from: Millis
    percent: Decimal


async def read(session: AsyncSession) -> list[Target]:
    """All of them, the oldest of each metric first."""
    rows = await session.execute(select(table).order_by(table.c.metric, table.c.valid_from))
    return [Target(row.metric, millis(row.valid_from), row.percent) for row in rows]


def in_force(targets: Sequence[Target], at: Millis) -> dict[str, Decimal]:
    """Find the target of each metric at a moment."""
    return {one.metric: one.percent for one in targets if one.valid_from <= at}


DEFAULT_PPM = 990_000
"""What reports and charts demand while no target of availability is set."""


async def demanded_ppm(session: AsyncSession, at: Millis) -> int:
    """Read the availability demanded at a moment, in millionths."""
    percent = in_force(await read(session), at).get("availability")
    return DEFAULT_PPM if percent is None else int(percent * 10_000)


def listed() -> Select[Any]:
    return select(table)


async def set_target(session: AsyncSession, values: Mapping[str, Any], now: datetime) -> str | None:
    """Keep a target; returns why not. A time for which a target stands already is not changed once it has begun."""
    # One after the other: what is known decides.
    await session.execute(text("lock table availability_target in share row exclusive mode"))
    metric, valid_from = values["metric"], values["valid_from"]
    before = select(table.c.valid_from).where(table.c.metric == metric).order_by(table.c.valid_from)
    known = [row.valid_from for row in await session.execute(before)]
    if valid_from in known:
        return "a target of that metric begins at that moment already"
    if known and known[0] < valid_from < now:
        return f"a target stands since {format_instant(millis(known[0]))}; another one can only begin in the future"
    await session.execute(insert(table).values(**values, set_at=now))
    return None

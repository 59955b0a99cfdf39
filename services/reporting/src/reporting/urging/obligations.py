"""Obligations that are not met, by the same decision as every report; read at most once in URGE_EVERY_S.

A province of 20,000 cameras takes a second to judge, and a deadline does not need more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, duration, millis, moment
from reporting.domain.mandate.obligations import PENDING, DueState
from reporting.reports.mandate.obligations import Item, duties
from reporting.reports.mandate.situation import situation_of_record
from reporting.settings import Settings
from reporting.storage import plan
from reporting.storage.sending.notices import Notice
from reporting.urging.decision import Owed
from vonggac.events.reporting import ObligationOverdueV1

URGE_EVERY_S = 60.0
"""Between two decisions on whom to urge."""


class _Read(NamedTuple):
    at: datetime
    items: tuple[Item, ...]


class Obligations:
    """The obligations that are not met, as they were read last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read: _Read | None = None

    async def list_owed(self, session: AsyncSession, now: datetime) -> Sequence[Owed]:
        """Each with a deadline, for each facility that it is about. Raises what PostgreSQL raises."""
        return [
            _to_owed(one, due) for one in await self._unmet(session, now) if (due := one.due.due_before) is not None
        ]

    async def notices(self, session: AsyncSession, now: datetime) -> Sequence[Notice]:
        """Those whose deadline has passed at `now`. Raises what PostgreSQL raises."""
        at = millis(now)
        return [
            _notice(one, due)
            for one in await self._unmet(session, now)
            if (due := one.due.due_before) is not None and due <= at and one.due.state is DueState.OVERDUE
        ]

    async def _unmet(self, session: AsyncSession, now: datetime) -> tuple[Item, ...]:
        fresh = timedelta(seconds=URGE_EVERY_S)
        if self._read is None or not timedelta() <= now - self._read.at < fresh:
            alive = duration(self._settings.presumed_alive_s)
            found = await duties(session, await situation_of_record(session, millis(now), alive, plan.Scope()))
            self._read = _Read(now, tuple(one for one in found.items if one.due.state in PENDING))
        return self._read.items


def _to_owed(one: Item, due_before: Millis) -> Owed:
    facility = one.facility
    return Owed(
        key=f"obligation:{_key(one, due_before)}",
        outage=False,
        since=due_before,
        responsible=one.obligation.responsible_agency_id,
        managing=None if facility is None else facility.agency.id,
        kind=one.obligation.kind.value,
        code=one.obligation.code,
        title=one.obligation.name,
        facility_code=None if facility is None else facility.code,
        facility_name=None if facility is None else facility.name,
        responsible_name=one.responsible.name,
        directive=one.citation,
        directive_id=one.obligation.directive_id,
        restricted=facility is not None and facility.restricted,
    )


def _notice(one: Item, due_before: Millis) -> Notice:
    """Dated to its deadline: from then on it was overdue."""
    facility = one.facility
    data = ObligationOverdueV1(
        obligation_id=one.obligation.id,
        obligation_code=one.obligation.code,
        kind=one.obligation.kind.value,
        facility_id=None if facility is None else facility.id,
        facility_code=None if facility is None else facility.code,
        responsible_agency_id=one.obligation.responsible_agency_id,
        due_before=moment(due_before),
    )
    return Notice("obligation", one.obligation.id, _key(one, due_before), moment(due_before), data)


def _key(one: Item, due_before: Millis) -> str:
    """Build the key of what is the same fact: a new deadline makes a new one."""
    where = "province" if one.facility is None else one.facility.id
    return f"{one.obligation.id}:{where}:{due_before}"

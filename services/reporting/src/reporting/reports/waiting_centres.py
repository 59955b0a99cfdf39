"""Centres that pull and do not: since when their cameras wait for them, and who is responsible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import HOUR, VIETNAM, Millis, millis, moment
from reporting.domain.scope import Camera, Named
from reporting.domain.segments import Period
from reporting.reports.accounts import Question, moments
from reporting.reports.notes import Note
from reporting.storage import plan
from reporting.storage.tables import delivery_change, destination
from vonggac.decree.dates import short_day
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import DestinationMode

BRIEFLY: Millis = 60_000
"""How far back claims are read that hold now."""
LONG: Millis = HOUR
"""A centre that connects again within so long is in no report, and nobody is urged about it."""
OF_THE_CENTRE = frozenset({Cause.NOT_ASKED.value, Cause.LEFT.value, Cause.REFUSED.value})
"""Causes of `waiting_for_centre`; any other is a fault of ours."""
_WITH_SESSION = [
    state.value
    for state in (
        DeliveryState.CONNECTING,
        DeliveryState.SENDING,
        DeliveryState.ACKNOWLEDGED,
        DeliveryState.VERIFIED,
        DeliveryState.MISMATCH,
        DeliveryState.STALLED,
    )
]


@dataclass(slots=True)
class WaitingCentre:
    """One centre. `by_cause`: how many of its cameras wait, by why; `since`: the longest wait of one of them."""

    destination: Named
    responsible: str | None
    since: Millis
    by_cause: dict[str, int] = field(default_factory=dict)

    def add(self, cause: str, since: Millis) -> None:
        """Count one camera that waits."""
        self.by_cause[cause] = self.by_cause.get(cause, 0) + 1
        self.since = min(self.since, since)

    @property
    def cameras(self) -> int:
        """How many of its cameras wait."""
        return sum(self.by_cause.values())

    @property
    def text_vi(self) -> str:
        """For people, with the time in Viet Nam."""
        what = "trung tâm kết nối nhưng bị từ chối" if self._only_refused else "trung tâm chưa kết nối lấy hình"
        at = moment(self.since).astimezone(VIETNAM)
        return f"{what} từ {at:%H:%M} ngày {short_day(at)} ({self.cameras} camera){self._add_name('; đầu mối: ')}"

    @property
    def text_en(self) -> str:
        """The same in English."""
        what = "the centre asks and is refused" if self._only_refused else "the centre has not asked"
        at = moment(self.since).astimezone(VIETNAM)
        count = "1 camera" if self.cameras == 1 else f"{self.cameras} cameras"
        return f"{what} since {at:%H:%M} on {at:%d/%m/%Y} ({count}){self._add_name('; responsible: ')}"

    @property
    def _only_refused(self) -> bool:
        return set(self.by_cause) == {Cause.REFUSED.value}

    def _add_name(self, before: str) -> str:
        return "" if self.responsible is None else f"{before}{self.responsible}"


async def find_waiting_centres(session: AsyncSession, question: Question, scope: plan.Scope) -> list[WaitingCentre]:
    """Those of which cameras of the scope wait at the moment of the question, the longest wait first.

    A question about a past period has none.
    """
    responsible = await _load_responsible(session, question.now) if question.current else {}
    if not responsible:
        return []
    now = question.now
    asked = replace(question, period=Period(now - BRIEFLY, now))
    cameras = await plan.cameras(session, await plan.places(session, scope, asked.period))
    pulled = [one for one in cameras if _is_pulled(one, responsible)]
    waiting: dict[UUID, tuple[Named, str, Millis]] = {}
    async for portion in moments(session, asked, pulled, list):
        for one in portion:
            for planned, stands in zip(one.camera.deliveries, one.now.deliveries, strict=True):
                to, cause = planned.destination, stands.cause
                if planned.enabled and to.id in responsible and _waits(stands.state, cause):
                    waiting[UUID(planned.id)] = (to, cause or "", now if stands.since is None else stands.since)
    since = await _load_since(session, list(waiting), now)
    found: dict[UUID, WaitingCentre] = {}
    for delivery_id, (to, cause, shown_since) in waiting.items():
        centre = found.setdefault(to.id, WaitingCentre(to, responsible[to.id], now))
        centre.add(cause, min(shown_since, since.get(delivery_id, shown_since)))
    return sorted(found.values(), key=lambda one: (one.since, str(one.destination.code)))


async def note_waiting_centres(session: AsyncSession, question: Question, scope: plan.Scope) -> list[Note]:
    """Write the notes of a report on centres that did not have cameras when its period ended, and had not for long."""
    end = question.period.end
    found = await find_waiting_centres(session, replace(question, now=end), scope)
    return [
        Note(
            "centre_not_asking",
            max(one.since, question.period.start),
            end,
            one.cameras,
            f"Đích {_name_of(one.destination)}: {one.text_vi}.",
            f"Destination {_name_of(one.destination)}: {one.text_en}.",
        )
        for one in found
        if end - one.since >= LONG
    ]


def _name_of(to: Named) -> str:
    return f"{to.code} ({to.name})" if to.code is not None else str(to.id)


def _waits(state: str, cause: str | None) -> bool:
    return state == DeliveryState.WAITING_FOR_CENTRE.value and cause in OF_THE_CENTRE


def _is_pulled(camera: Camera, responsible: Mapping[UUID, str | None]) -> bool:
    return any(planned.destination.id in responsible for planned in camera.deliveries)


async def _load_responsible(session: AsyncSession, at: Millis) -> Mapping[UUID, str | None]:
    """Load who is responsible for each centre that pulls, as the register had it then."""
    columns = destination.c
    query = select(columns.id, columns.responsible).where(
        columns.mode == DestinationMode.SERVE.value,
        columns.valid_from <= moment(at),
        or_(columns.valid_to.is_(None), columns.valid_to > moment(at)),
        columns.enabled,
    )
    return {row.id: row.responsible for row in await session.execute(query)}


async def _load_since(session: AsyncSession, delivery_ids: Sequence[UUID], at: Millis) -> Mapping[UUID, Millis]:
    """Since when each of these has waited without a session, whichever worker held its camera."""
    if not delivery_ids:
        return {}
    change, session_of = delivery_change.c, delivery_change.alias("session_of").c
    until = moment(at)
    last_session = (
        select(func.max(session_of.observed_at))
        .where(
            session_of.delivery_id == change.delivery_id,
            session_of.observed_at <= until,
            session_of.state.in_(_WITH_SESSION),
        )
        .scalar_subquery()
    )
    waits: ColumnElement[bool] = and_(
        change.delivery_id.in_(delivery_ids),
        change.observed_at <= until,
        change.state == DeliveryState.WAITING_FOR_CENTRE.value,
        or_(last_session.is_(None), change.observed_at > last_session),
    )
    began = func.min(func.coalesce(change.begins_at, change.observed_at))
    query = select(change.delivery_id, began.label("began")).where(waits).group_by(change.delivery_id)
    return {row.delivery_id: millis(row.began) for row in await session.execute(query)}

"""Accounting cameras for the present: the moment of a report whose period is the last day.

What has lasted for longer than that day is read further back for when it began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.claims import UNKNOWN
from reporting.domain.instants import HOUR, Millis
from reporting.domain.partition import Seen
from reporting.domain.scope import Camera
from reporting.domain.segments import Period, Segment
from reporting.reports.accounts import Evidence, Material, Moment, Question, StateNow, each_portion, moment_of
from reporting.reports.present.due import Instants
from reporting.reports.present.rows import OUT_OF_SCOPE, Row, is_there, row_of
from reporting.storage import plan

DAY: Millis = 24 * HOUR
FURTHER: Millis = 31 * DAY
"""How far back the beginning is read of what lasts for longer than a day."""
FURTHEST: Millis = 20 * 366 * DAY
"""The same of a plan, which is a few rows."""


class Accounted(NamedTuple):
    """One camera as it stands, and when it may stand otherwise by itself. `row` None: it is on record no more."""

    camera_id: str
    row: Row | None
    due: Millis


def question_at(now: Millis, presumed_alive_ms: Millis) -> Question:
    """Build what the present asks of the accounts."""
    return Question(Period(now - DAY, now), now, presumed_alive_ms)


async def load_present(
    session: AsyncSession, question: Question, places: plan.Places, only: Sequence[UUID] | None = None
) -> dict[str, Accounted]:
    """Cameras as they stand now, by their ids; `only`: of these, each of which is in the answer.

    `places`: of the question's period. Raises what PostgreSQL raises.
    """
    cameras = await plan.cameras(session, places._replace(period=question.period), only=only)
    found = {str(one): Accounted(str(one), None, question.now + DAY) for one in only or ()}
    accounted = await _account(session, question, cameras)
    further = [one for one, moment, _ in accounted if _lasts(moment, question)]
    began = await _load_beginnings(session, question, further) if further else {}
    for camera, moment, due in accounted:
        since = began.get(camera.id)
        known = moment if since is None else moment._replace(camera=since.camera, confirmed=since.confirmed)
        found[camera.id] = Accounted(camera.id, row_of(camera, known), due if since is None else min(due, since.due))
    return found


type _Moment = tuple[Camera, Moment, Millis]


async def _account(session: AsyncSession, question: Question, cameras: Sequence[Camera]) -> list[_Moment]:
    instants: list[tuple[Material, Instants]] = []

    def each(
        material: Material, camera: Camera, seen: Sequence[Segment[Seen]], evidence: Mapping[str, Evidence]
    ) -> _Moment:
        if not instants or instants[-1][0] is not material:
            instants[:] = [(material, Instants(material))]
        return camera, moment_of(material, camera, seen, evidence), instants[-1][1].next_change(camera)

    there = [one for one in cameras if is_there(one)]
    return [one async for made in each_portion(session, question, there, each, list) for one in made]


def _lasts(moment: Moment, question: Question) -> bool:
    """Whether it began before what was read."""
    if moment.camera.state == OUT_OF_SCOPE or moment.camera.since == question.period.start:
        return True
    return moment.camera.state == UNKNOWN and moment.camera.since is None


class _Beginning(NamedTuple):
    """A camera's states with when they began, as far back as was read."""

    camera: StateNow
    confirmed: StateNow
    due: Millis


async def _load_beginnings(
    session: AsyncSession, question: Question, cameras: Sequence[Camera]
) -> dict[str, _Beginning]:
    """When it began, of each of these: of one out of scope by its plan, of another by its facts."""
    whole = await plan.places(session, plan.Scope(), Period(question.now - FURTHEST, question.now))
    planned = await plan.cameras(session, whole, only=[UUID(one.id) for one in cameras])
    asked = replace(question, period=Period(question.now - FURTHER, question.now))
    return {
        one.id: _Beginning(_since_read(moment.camera, whole.period), _since_read(moment.confirmed, whole.period), due)
        for one, moment, due in await _account(session, asked, planned)
    }


def _since_read(state: StateNow, read: Period) -> StateNow:
    """None where it began before all that was read."""
    return state._replace(since=None) if state.since is not None and state.since <= read.start else state

"""The progress board (R12): a row per facility at an instant, and what makes it up."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.domain.mandate.progress import FacilityProgress
from reporting.reports.mandate.findings import Facts
from reporting.reports.mandate.obligations import Duties, duties
from reporting.reports.mandate.situation import FacilityThen, Situation, areas_of, camera_progress, situation
from reporting.storage import plan
from vonggac.telemetry.garbage_collection import rarely_collected


@dataclass(frozen=True, slots=True)
class Board:
    """The rows in the order of the reports, with what they were made of."""

    situation: Situation
    duties: Duties
    rows: tuple[FacilityProgress, ...]


async def board(
    session: AsyncSession, at: Millis, presumed_alive_ms: Millis, scope: plan.Scope, *, by_entry: bool = False
) -> Board:
    """Build the board of an instant, as far as it is known today. `by_entry`: duties as rules 4 and before had them."""
    with rarely_collected():
        then = await situation(session, at, presumed_alive_ms, scope)
        return board_of(then, await duties(session, then, by_entry=by_entry))


def board_of(then: Situation, owed: Duties) -> Board:
    """Build the same of what is at hand."""
    overdue, areas = owed.overdue(), areas_of(then)
    rows = [_row(owed.facts, one, areas, overdue.get(one.facility.id, ())) for one in then.facilities]
    return Board(then, owed, tuple(rows))


def _row(facts: Facts, then: FacilityThen, areas: dict[str, str | None], overdue: tuple[str, ...]) -> FacilityProgress:
    one = then.facility.id
    return FacilityProgress(
        then.facility,
        then.status,
        tuple(camera_progress(camera, areas) for camera in then.cameras),
        surveyed=facts.survey(one).at is not None,
        plan_agreed=facts.agreed_plan(one) is not None,
        plan_excepted=bool(facts.exceptions.get(one)),
        sufficiency=facts.sufficiency(one),
        focal_point=facts.has_focal_point(one),
        blocked=facts.blocked_kinds(one),
        overdue=overdue,
    )

"""Where the rows of a declared table come from."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.segments import Step
from reporting.reports.accounts import Question
from reporting.reports.availability.lines import LineKind
from reporting.storage.plan import Scope
from reporting.tables.stamp import Stamp
from reporting.tables.stream import Portions
from reporting.tables.table import Table


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request asks of a table, and the snapshot of the tables behind it."""

    session: AsyncSession
    question: Question
    scope: Scope
    only: UUID | None = None
    """The one camera or delivery that is asked for; of outages, intervals and maintenance."""
    by: LineKind | None = None
    every: Step | None = Step.DAY
    """Of availability: what a row is of, None: as the table has it; and the series, None: one figure."""

    @property
    def stamp(self) -> Stamp:
        """What the file says of itself."""
        return self.stamp_of(self.question)

    @staticmethod
    def stamp_of(question: Question) -> Stamp:
        """Build what the file of a question says of itself."""
        return Stamp(question.now, question.period, question.time_zone)


@dataclass(frozen=True, slots=True)
class Source:
    """A declared table and its rows. `narrowed`: unit, agency, type and facility choose among them.

    `whole`: it is of the province as a whole, restricted facilities included, and cannot be narrowed.
    """

    table: Table
    rows: Callable[[Selection], Portions]
    narrowed: bool = True
    whole: bool = False

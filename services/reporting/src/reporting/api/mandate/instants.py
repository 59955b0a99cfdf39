"""The instant that a question is about: `as_of`, and `since` for what changed; and a whole table of an instant."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from reporting.api.files import Choice, TableAnswer, refuse_filters_of_pages, table_answer
from reporting.api.parameters import CLOCK_DIFFERENCE, Context, Filters, InContext, invalid, parse_moment
from reporting.domain.evidence.lives import presumption
from reporting.domain.instants import VIETNAM, Millis, duration, format_instant, millis, moment
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.storage.mandate import records
from reporting.storage.snapshot import snapshot

LAST_REPORT = "last-report"
_AS_OF = Query(
    description="By the facts of this instant, not in the future; default: now. ISO 8601, without an offset it is "
    "Vietnam time.",
    examples=["2026-11-24T07:00:00+07:00"],
)
_SINCE = Query(
    description="What changed between this instant and `as_of`: ISO 8601, without an offset Vietnam time; or "
    "`last-report`, the newest end of a frozen report's period before `as_of`.",
    examples=["2026-11-24"],
)


class Instant(NamedTuple):
    """An instant, and how long a worker is presumed alive after its last sign of life."""

    at: Millis
    presumed_alive_ms: Millis

    @classmethod
    def create(cls, at: Millis, now: Millis, presumed_alive_ms: Millis) -> "Instant":
        """Build an instant asked about at `now`, which may be long after it."""
        return cls(at, presumption(presumed_alive_ms, at, now))

    def earlier(self, at: Millis) -> "Instant":
        """Build an instant before this one, asked about at the same moment."""
        return Instant.create(at, self.at, self.presumed_alive_ms)

    def resumed(self, as_of: datetime | None) -> "Instant":
        """For another page of a list: the instant that its first page was of."""
        return self if as_of is None else self._replace(at=millis(as_of))


def instant_of(shared: InContext, as_of: Annotated[str | None, _AS_OF] = None) -> Instant:
    """Read the instant asked about, now by default. Raises ProblemError 422 naming `as_of`."""
    now = shared.clock()
    at = now if as_of is None else parse_moment("as_of", as_of)
    if at > now + CLOCK_DIFFERENCE:
        raise invalid("as_of", f"lies in the future; the latest possible is {format_instant(millis(now))}")
    return Instant.create(millis(min(at, now)), millis(now), duration(shared.settings.presumed_alive_s))


AsOf = Annotated[Instant, Depends(instant_of)]


async def earlier_instant(
    asked: AsOf, shared: InContext, since: Annotated[str | None, _SINCE] = None
) -> Instant | None:
    """None when no `since` is given. Raises ProblemError 422 naming `since`."""
    if since is None:
        return None
    if since == LAST_REPORT:
        async with snapshot(shared.database) as session:
            end = await records.last_report(session, asked.at)
        if end is None:
            raise invalid("since", f"no report before {format_instant(asked.at)} was frozen; give an instant instead")
        return asked.earlier(end)
    before = millis(parse_moment("since", since))
    if before >= asked.at:
        raise invalid("since", f"must be earlier than as_of, which is {format_instant(asked.at)}")
    return asked.earlier(before)


Since = Annotated[Instant | None, Depends(earlier_instant)]


def shown_at(instant: Millis) -> datetime:
    """As the API shows it."""
    return moment(instant).astimezone(VIETNAM)


def shown_or_none(instant: Millis | None) -> datetime | None:
    return None if instant is None else shown_at(instant)


async def table_of(
    shared: Context,
    name: str,
    asked: Instant,
    chosen: Choice,
    filters: Filters,
    request: Request,
    *,
    own: Collection[str] = (),
    since: Instant | None = None,
) -> TableAnswer:
    """Build a declared table of the instant, or of the period from `since` to it. Raises ProblemError 422 for one of
    the route's `own` filters: a file has all rows of its scope."""
    refuse_filters_of_pages(request, chosen, own)
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asked.at)).scope
    period = Period(asked.at, asked.at + 1) if since is None else Period(since.at, asked.at)
    question = Question(period, asked.at, asked.presumed_alive_ms)
    return table_answer(shared, name, question, chosen, scope)

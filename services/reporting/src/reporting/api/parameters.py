"""What several routes take: a period, filters, the clock, the database."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.mandate.recent_duties import RecentDuties
from reporting.api.reports.receiving import Receiving
from reporting.domain.instants import TIME_ZONE, VIETNAM, Millis, duration, format_instant, millis
from reporting.domain.segments import Period
from reporting.feeds.sealing import Seal
from reporting.feeds.tasks import FeedTasks
from reporting.reports.accounts import Question
from reporting.reports.compliance import AppliedFilters
from reporting.reports.present.counts import Tally
from reporting.settings import Settings
from reporting.storage import plan
from reporting.storage.mandate import codes
from reporting.storage.sight import sees_camera, visible_facilities
from vonggac.auth import Caller, Sight
from vonggac.database import Database
from vonggac.events.inventory import FacilityType
from vonggac.http import FieldError, ProblemError
from vonggac.http.lists.parameters import FIRST_YEAR, LAST_YEAR

DEFAULT_PERIOD = timedelta(hours=24)
CLOCK_DIFFERENCE = timedelta(seconds=5)
"""A caller's clock may be so much ahead of ours."""


class Context:
    """What the routes share, kept in app.state by `create_app`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        seal: Seal | None = None,
        feed_tasks: FeedTasks | None = None,
        present: Tally | None = None,
    ) -> None:
        """`seal`: None: no secret can be kept. `present`: None where nothing keeps it."""
        self.settings, self.database, self.clock = settings, database, clock
        self.seal = seal
        self.feed_tasks = feed_tasks
        """None where nothing is sent: in tests of what is read."""
        self.present = present
        self.receiving = Receiving()
        self.recent_duties = RecentDuties()


def context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


InContext = Annotated[Context, Depends(context)]

_FROM = Query(alias="from", description="Start, included. ISO 8601; without an offset it is of `time_zone`.")
_TO = Query(alias="to", description="End, excluded; not in the future. Default: now.", examples=["2026-11-24"])

ZONE = Query(
    description="IANA name of the time zone of times without an offset, and of days, weeks and months.",
    examples=["Asia/Ho_Chi_Minh"],
    max_length=64,
)


def question(
    shared: InContext,
    start: Annotated[str | None, _FROM] = None,
    end: Annotated[str | None, _TO] = None,
    time_zone: Annotated[str, ZONE] = TIME_ZONE,
) -> Question:
    """Read the period asked for, [from, to); by default the last 24 hours. Raises ProblemError naming the parameter."""
    now, zone = shared.clock(), zone_named(time_zone)
    until = now if end is None else parse_moment("to", end, zone)
    if until > now + CLOCK_DIFFERENCE:
        raise invalid("to", f"lies in the future; the latest possible is {format_instant(millis(now))}")
    until = min(until, now)
    since = until - DEFAULT_PERIOD if start is None else parse_moment("from", start, zone)
    if millis(since) >= millis(until):
        raise invalid("from", f"must be earlier than to, which is {format_instant(millis(until))}")
    if until - since > timedelta(days=shared.settings.max_period_days):
        raise invalid("from", f"the period is longer than {shared.settings.max_period_days} days; ask in parts")
    period = Period(millis(since), millis(until))
    return Question(period, millis(now), duration(shared.settings.presumed_alive_s), time_zone)


Asks = Annotated[Question, Depends(question)]


def resumed(asks: Question, as_of: datetime | None, request: Request) -> Question:
    """Put the question of a list's first page for another page of it: a period up to now ends where it ended then."""
    if as_of is None or "to" in request.query_params:
        return asks
    end = millis(as_of)
    start = asks.period.start if "from" in request.query_params else end - duration(DEFAULT_PERIOD.total_seconds())
    return replace(asks, period=Period(start, end), now=end)


class Filters:
    """Query parameters that narrow a report, and their resolution to ids."""

    def __init__(
        self,
        unit: Annotated[str | None, Query(description="Code or id of a unit.", max_length=64)] = None,
        agency: Annotated[str | None, Query(description="Code or id of a managing agency.", max_length=64)] = None,
        type: Annotated[FacilityType | None, Query(description="Type of the facility.")] = None,  # noqa: A002
        facility: Annotated[str | None, Query(description="Code or id of a facility.", max_length=64)] = None,
        *,
        caller: Caller,
    ) -> None:
        self.sight = caller.sight
        self.unit, self.agency, self.facility = unit, agency, facility
        self.type = type.value if type is not None else None

    async def resolved(self, session: AsyncSession, at: Millis | None) -> AppliedFilters:
        """Resolve what is asked for, of what the caller sees. `at`: codes are those of this moment; None: the latest.

        Raises ProblemError naming the parameter whose code or id is unknown, or of a facility that is not seen.
        """
        seen = await seen_by(session, self.sight)
        scope = replace(
            seen,
            unit_id=await find_seen(session, "unit", self.unit, at=at),
            agency_id=await find_seen(session, "agency", self.agency, at=at),
            facility_id=await find_seen(session, "facility", self.facility, seen.visible, at=at),
            type=self.type,
        )
        given = {"unit": self.unit, "agency": self.agency, "type": self.type, "facility": self.facility}
        return AppliedFilters(scope, given)


async def find_seen(
    session: AsyncSession,
    noun: str,
    given: str | None,
    visible: frozenset[UUID] | None = None,
    *,
    field: str | None = None,
    at: Millis | None = None,
) -> UUID | None:
    """Find the id of a unit, agency or facility, as `codes.find`. Raises ProblemError naming the parameter (`field`, or
    the noun) of one that is not known or not seen."""
    if given is None:
        return None
    found = await codes.find(session, noun, given, at)
    if found is None or (visible is not None and found not in visible):
        msg = f"no {noun} with the code or id '{given}' is known; give one that inventory lists"
        raise invalid(field or noun, msg)
    return found


async def seen_by(session: AsyncSession, sight: Sight) -> plan.Scope:
    """All that a caller sees."""
    return plan.Scope(visible=await visible_facilities(session, sight), of_part=sight.scope is not None)


async def check_camera(session: AsyncSession, sight: Sight, field: str, camera_id: UUID | None) -> None:
    """Check a camera's id. Raises ProblemError naming the parameter of a camera that is not known, or not seen."""
    if camera_id is None:
        return
    if not await plan.camera_known(session, camera_id) or not await sees_camera(session, sight, camera_id):
        raise invalid(field, f"no camera {camera_id} is known here; give one that inventory lists")


def invalid(field: str, message: str) -> ProblemError:
    """Build a ProblemError 422 that names one parameter."""
    errors = [FieldError(field=field, message=message)]
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"{field}: {message}", errors)


def not_found(noun: str, given: object) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "not_found", f"no {noun} {given} is known here")


def _of_known_years(given: datetime) -> datetime:
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        msg = f"has a year that is not between {FIRST_YEAR} and {LAST_YEAR}"
        raise ValueError(msg)
    return given


def _of_the_province(given: datetime) -> datetime:
    local = _of_known_years(given)
    return (local.replace(tzinfo=VIETNAM) if local.tzinfo is None else local).astimezone(VIETNAM)


def _of_a_plain_day(given: Any) -> Any:
    """Papers have days: a plain day is 00:00 of it in Vietnam, as it is in a parameter."""
    if isinstance(given, str) and _PLAIN_DAY.fullmatch(given.strip()):
        return datetime.combine(date.fromisoformat(given.strip()), time(), VIETNAM)
    return given


_PLAIN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
GivenInstant = Annotated[AwareDatetime, BeforeValidator(_of_a_plain_day), AfterValidator(_of_known_years)]
"""An instant in a body: one that is far off overflows when it is shown in another zone."""
GivenLocally = Annotated[datetime, AfterValidator(_of_the_province)]
"""The same; without an offset it is of Vietnam time."""


@cache
def zone_names() -> frozenset[str]:
    """List the zones of the IANA database, which whoever reads a table knows too.

    Its folder has more: the zone of the machine, and zones that count leap seconds.
    """
    return frozenset(available_timezones()) - {"Factory", "localtime"}


def zone_named(name: str) -> tzinfo:
    """Find a time zone by its name. Raises ProblemError 422 naming `time_zone`."""
    if name == TIME_ZONE:
        return VIETNAM
    if name not in zone_names():
        right = "Asia/Ho_Chi_Minh or Europe/Berlin"
        raise invalid("time_zone", f"'{name}' is no zone of the IANA database; write one such as {right}")
    return ZoneInfo(name)


def parse_moment(field: str, given: str, zone: tzinfo = VIETNAM) -> datetime:
    """Parse the moment that a parameter gives. Raises ProblemError 422 naming it."""
    # A plus sign that was not percent-encoded arrives as a space.
    text = given.strip().replace(" ", "+") if "T" in given else given.strip()
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        right = "2026-11-24T07:00:00+07:00 or 2026-11-24"
        raise invalid(field, f"'{given}' is not a time; write ISO 8601 such as {right}") from None
    if not FIRST_YEAR <= parsed.year <= LAST_YEAR:
        # In another zone it could be no time any more.
        raise invalid(field, f"has a year that is not between {FIRST_YEAR} and {LAST_YEAR}")
    return parsed.replace(tzinfo=zone) if parsed.tzinfo is None else parsed

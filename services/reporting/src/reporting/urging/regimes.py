"""The keeper of regimes: freezes the report of each cut-off once, lays it before who approves it, and sends it then.

A report is frozen as soon as the evidence of its period is complete, the lateness horizon after its cut-off, with the
register of the cut-off and beside the last report of its regime. What fell due while reporting was away is made up,
oldest first, and marked late. Of several replicas one freezes at a time; the key of the cut-off is in its transaction.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from reporting import metrics
from reporting.documents.render import rendered
from reporting.domain.instants import TIME_ZONE, Millis, duration, millis, moment
from reporting.domain.mandate.regimes import Calendar, Rhythm, is_late, period_name
from reporting.domain.segments import Period
from reporting.feeds.backoff import next_delay
from reporting.feeds.sealing import Seal, SealBrokenError
from reporting.reports.notes import note_made_late
from reporting.reports.snapshot import chain, freezing
from reporting.reports.snapshot.difference import comparison
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.of_register import letterhead_of_register
from reporting.reports.snapshot.report import FilterPart, PeriodPart, Report
from reporting.settings import Settings
from reporting.storage import plan
from reporting.storage.availability import after_freezing, targets
from reporting.storage.mandate import codes
from reporting.storage.sending import notices, regimes
from reporting.storage.sending.notices import Notice
from reporting.storage.sending.records import CHANNELS, agencies
from reporting.urging import channels
from reporting.urging.channels import Attachment, BadAddressError, ChannelKind, Sent
from reporting.urging.owed import facilities
from reporting.urging.regime_messages import MessageOf, approval_wanted, approved_copy
from reporting.urging.urger import LEASE
from vonggac.database import Database
from vonggac.events.inventory import AgencyRole
from vonggac.events.reporting import ReportApprovedV1, ReportFrozenV1, ReportLaidBeforeV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

CHECK_EVERY_S = 5.0
_SUBJECT_LENGTH = 300
"""As the letterhead's subject has it."""
_SEE_RESTRICTED = frozenset(
    {AgencyRole.LEAD, AgencyRole.PEOPLES_COMMITTEE, AgencyRole.MINISTRY, AgencyRole.STEERING_COMMITTEE}
)
"""Who gets the file of a report that names restricted facilities."""


class UnknownScopeError(Exception):
    """A code or id that narrows the regime is of nothing that is known; `args`: noun and what was given."""


class _Due(NamedTuple):
    regime: Any
    period: Period


class RegimeKeeper:
    """The task that freezes and sends. `clock` gives aware UTC; `wake` is called after each frozen report."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        seal: Seal | None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        behind: Callable[[], bool] = lambda: False,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """`seal`: None: no address can be read, and nothing is mailed. Nothing is frozen while the tables are `behind`
        the bus: what is still to come would be missing in it."""
        self._database, self._settings, self._seal = database, settings, seal
        self._clock, self._behind, self._wake = clock, behind, wake

    async def run(self, ready: asyncio.Event) -> None:
        """Freeze and send from `ready` on until cancelled; raises only bugs."""
        await ready.wait()
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                if not self._behind():
                    await self.check()
                while await self.send():
                    pass
            except (SQLAlchemyError, OSError) as error:
                log.warning("regimes_failed", error=type(error).__name__)

    async def check(self) -> int:
        """Freeze what is due; returns how many reports were frozen. Raises what PostgreSQL raises."""
        frozen, skipped = 0, set[UUID]()
        while True:
            async with self._database.transaction() as session:
                if not await regimes.try_lock(session):
                    return frozen
                due = await self._first_due(session, skipped)
                if due is None:
                    return frozen
                try:
                    await self._freeze(session, due)
                except UnknownScopeError as error:
                    noun, given = error.args
                    problem = f"no {noun} with the code or id '{given}' is known"
                    await regimes.keep_problem(session, due.regime.id, problem)
                    log.warning("regime_not_frozen", regime_id=str(due.regime.id), problem=problem)
                    skipped.add(due.regime.id)
                    continue
            frozen += 1
            metrics.REGIME_REPORTS.inc()
            self._wake()

    async def _first_due(self, session: AsyncSession, skipped: set[UUID]) -> _Due | None:
        """Find the oldest cut-off whose evidence is complete and that has no report."""
        until = freezing.latest_cut_off(self._clock(), duration(self._settings.lateness_horizon_s))
        found = []
        for row in await regimes.REGIMES.enabled(session):
            if row.id in skipped:
                continue
            due = calendar_of(row).due(millis(row.counts_from), until)
            made = {millis(one.cut_off_at) for one in await regimes.made_reports(session, row.id)} if due else set()
            found += [_Due(row, one) for one in due if one.end not in made][:1]
        return min(found, key=lambda one: (one.period.end, str(one.regime.id)), default=None)

    async def _freeze(self, session: AsyncSession, due: _Due) -> None:
        """Freeze one report in the caller's transaction, and lay it before who approves."""
        row, now = due.regime, self._clock()
        order = await self._order(session, due, now)
        asked = freezing.Request(due.period, ZoneInfo(TIME_ZONE), order.filters, register_at=due.period.end)
        seen = await freezing.announce(self._database, asked)

        async def scope_of(reading: AsyncSession) -> plan.Scope:
            return await find_scope(reading, order.filters, due.period.end)

        alive_ms = duration(self._settings.presumed_alive_s)
        found = await freezing.read(self._database, asked, scope_of, now=now, alive_ms=alive_ms)
        earlier = [
            one for one in await regimes.made_reports(session, row.id) if millis(one.cut_off_at) < due.period.end
        ]
        last = await chain.read(session, earlier[-1].report_id) if earlier else None
        late = is_late(due.period.end, duration(self._settings.lateness_horizon_s), millis(now))
        tables = {**found.tables, "comparison": comparison(last, found.tables)}
        if late:
            after = millis(row.created_at) > due.period.end
            note = note_made_late(due.period, millis(now), entered_later=after)
            tables["notes"] = [*tables["notes"], note.to_row()]
        make = await asyncio.to_thread(freezing.first_version, order, tables, now)
        report = await chain.append(session, make)
        await after_freezing.keep(session, report.header.number, seen, found.cameras, asked.covers_until)
        kept = {
            "regime_id": row.id,
            "cut_off_at": moment(due.period.end),
            "starts_at": moment(due.period.start),
            "report_id": report.id,
            "compared_with": None if last is None else last.id,
            "late": late,
            "frozen_at": now,
        }
        await regimes.add_report(session, kept)
        await regimes.keep_problem(session, row.id, None)
        await _lay_before(session, row, report, kept, now)
        log.info("regime_report_frozen", regime_id=str(row.id), report_id=str(report.id), late=late)

    async def _order(self, session: AsyncSession, due: _Due, now: datetime) -> freezing.Order:
        row, period = due.regime, due.period
        given = Letterhead.model_validate(row.letterhead)
        found = await letterhead_of_register(session, given, period.end, millis(now), row.directive_id)
        if "addressees" not in found.model_fields_set:
            found = found.model_copy(update={"addressees": list(self._settings.report_addressees)})
        subject = f"{found.subject} {period_name(Rhythm(row.rhythm), period)}"
        if len(subject) <= _SUBJECT_LENGTH:
            found = found.model_copy(update={"subject": subject})
        return freezing.Order(
            period=PeriodPart(from_ms=period.start, to_ms=period.end, time_zone=TIME_ZONE),
            cut_off_ms=period.end,
            filters=FilterPart(unit=row.unit, agency=row.agency, type=row.type, facility=row.facility),
            author=freezing.Author(author_of(row.name)),
            deadline_ms=None,
            target_ppm=await targets.demanded_ppm(session, period.start),
            proposals=(),
            letterhead=found,
        )

    async def send(self) -> int:
        """Send once what is due; returns how many messages there were. Raises what PostgreSQL raises."""
        if self._seal is None:
            return 0
        now = self._clock()
        async with self._database.transaction() as session:
            claimed = await regimes.claim(session, now, now + LEASE)
        for row in claimed:
            await self._record(row, await self._send(self._seal, row))
        return len(claimed)

    async def _send(self, seal: Seal, row: Any) -> Sent:
        try:
            channel = channels.parse(ChannelKind(row.kind), seal.open(row.address))
        except (SealBrokenError, BadAddressError):
            return Sent.ADDRESS_UNREADABLE
        async with self._database.transaction() as session:
            report = await chain.read(session, row.report_id, row.version)
            agency = (await agencies(session)).get(row.agency_id)
            closed = {str(key) for key, one in (await facilities(session, self._clock())).items() if one.restricted}
        assert report is not None, "nothing removes a frozen report"
        sees = agency is not None and agency.role in _SEE_RESTRICTED
        hidden = not sees and any(str(one["facility_id"]) in closed for one in report.tables["facilities"])
        of = MessageOf("" if agency is None else agency.name, row.name, row.late, restricted=hidden)
        if row.purpose == regimes.APPROVAL:
            return await channels.send(channel, approval_wanted(report, of), self._settings.allowed)
        attached = None
        if not hidden:
            content = await asyncio.to_thread(rendered, report, "pdf")
            attached = Attachment(f"{report.name}.pdf", "application/pdf", content)
        return await channels.send(channel, approved_copy(report, of), self._settings.allowed, attached)

    async def _record(self, row: Any, outcome: Sent) -> None:
        now = self._clock()
        metrics.REGIME_SENDINGS.labels(outcome.value).inc()
        values: dict[str, Any] = {"outcome": outcome.value}
        if outcome in {Sent.SENT, Sent.SENT_IN_PART}:
            values |= {"state": "sent", "sent_at": now}
        elif (delay := next_delay(row.attempts)) is None:
            values["state"] = "failed"
        else:
            values["next_attempt_at"] = now + delay
        if outcome is not Sent.SENT:
            log.warning("report_not_sent", report_id=str(row.report_id), outcome=outcome.value, attempt=row.attempts)
        async with self._database.transaction() as session:
            await regimes.record(session, row, values)


def author_of(regime: str) -> str:
    """Who froze it, as papers name it: no person, so whoever decides may approve it."""
    return f"Vọng Gác, theo chế độ báo cáo «{regime}»"


def calendar_of(row: Any) -> Calendar:
    """Build the calendar of the cut-offs of a regime as it is stored."""
    return Calendar(Rhythm(row.rhythm), row.starts_on, row.cut_off_day, row.every_days, row.ends_on)


async def find_scope(session: AsyncSession, filters: FilterPart, at: Millis) -> plan.Scope:
    """Which facilities a regime is of; codes are those of `at`. Raises UnknownScopeError."""
    ids: dict[str, UUID | None] = {}
    for noun in ("unit", "agency", "facility"):
        given = getattr(filters, noun)
        ids[noun] = None if given is None else await codes.find(session, noun, given, at)
        if given is not None and ids[noun] is None:
            raise UnknownScopeError(noun, given)
    return plan.Scope(ids["unit"], ids["agency"], ids["facility"], filters.type)


async def _lay_before(session: AsyncSession, row: Any, report: Report, kept: dict[str, Any], now: datetime) -> None:
    """Bus, webhooks and the channels of who approves hear of it once it is committed."""
    header = report.header
    frozen = ReportFrozenV1(
        report_id=report.id,
        version=header.version,
        cut_off_at=moment(header.cut_off_ms),
        sha256=report.sha256,
        frozen_by=header.author,
    )
    await notices.report_frozen(session, frozen, now)
    laid = ReportLaidBeforeV1(
        report_id=report.id,
        version=header.version,
        regime_id=row.id,
        regime_name=row.name,
        from_at=kept["starts_at"],
        cut_off_at=kept["cut_off_at"],
        sha256=report.sha256,
        compared_with=kept["compared_with"],
        late=kept["late"],
        approver_agency_id=row.approver_agency_id,
    )
    await notices.append(session, [Notice("report", report.id, f"{report.id}:{header.version}", now, laid)], now)
    if row.approver_agency_id is not None:
        reached = await _channels_of(session, [row.approver_agency_id])
        await regimes.queue(session, report.id, header.version, regimes.APPROVAL, reached, now)


async def send_approved(session: AsyncSession, report: Report, by: str, now: datetime) -> None:
    """In the transaction of an approval: bus and webhooks hear of it, and a regime's recipients get their copy."""
    row, header = await regimes.regime_of(session, report.id), report.header
    recipients: Sequence[UUID] = () if row is None else row.recipient_agency_ids
    approved = ReportApprovedV1(
        report_id=report.id,
        version=header.version,
        sha256=report.sha256,
        approved_by=by,
        approved_at=now,
        regime_id=None if row is None else row.regime_id,
        recipient_agency_ids=tuple(recipients),
    )
    await notices.append(session, [Notice("report", report.id, f"{report.id}:{header.version}", now, approved)], now)
    if recipients:
        reached = await _channels_of(session, recipients)
        await regimes.queue(session, report.id, header.version, regimes.COPY, reached, now)


async def _channels_of(session: AsyncSession, agency_ids: Sequence[UUID]) -> list[Any]:
    return [one for one in await CHANNELS.enabled(session) if one.agency_id in agency_ids]

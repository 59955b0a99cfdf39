"""The supervisor of urging: decides every minute whom to urge, sends, and alone retries.

A digest and its sendings are written in one transaction with the log that the next decision reads, so nobody is urged
twice for one reason. A message is sent at least once; it names the entry of the log.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from reporting import metrics
from reporting.domain.instants import duration, millis
from reporting.feeds.backoff import next_delay
from reporting.feeds.sealing import Seal, SealBrokenError
from reporting.reports.snapshot.of_register import letterhead_of_directive
from reporting.settings import Settings
from reporting.storage.sending import log as kept
from reporting.storage.sending.records import CHANNELS, RULES, agencies
from reporting.urging import channels
from reporting.urging.channels import BadAddressError, ChannelKind, Sent
from reporting.urging.decision import HOUR, Digest, Owed, Party, Quiet, Rule, Urged, UrgingTopic, decide, in_order
from reporting.urging.digest import items_kept, message
from reporting.urging.obligations import URGE_EVERY_S
from reporting.urging.owed import Obligations, obstructions, outages, waiting_centres
from vonggac.database import Database
from vonggac.events.inventory import AgencyRole
from vonggac.telemetry import get_logger

log = get_logger(__name__)

LEASE = timedelta(minutes=3)
POLL_S = 5.0
LONGEST_HOURS = 24 * 90
"""No rule waits for longer between two digests, or after an answer."""
BY_RULES = "rules"
_OF_LETTER = ("drafting_unit", "signer_authority", "signer_title", "signer_name")


class Urger:
    """The task that urges. `clock` gives aware UTC."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        seal: Seal | None,
        *,
        obligations: Obligations,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`seal`: None: no address can be read, and digests are in the log alone."""
        self._database, self._settings, self._seal, self._clock = database, settings, seal, clock
        self._obligations = obligations
        self._allowed = settings.allowed

    async def run(self, ready: asyncio.Event) -> None:
        """Decide and send from `ready` on until cancelled; raises only bugs."""
        await ready.wait()
        decided_at: datetime | None = None
        while True:
            try:
                now = self._clock()
                if decided_at is None or (now - decided_at).total_seconds() >= URGE_EVERY_S:
                    await self.check()
                    decided_at = now
                while await self.send():
                    pass
            except (SQLAlchemyError, OSError) as error:
                log.warning("urging_failed", error=type(error).__name__)
            await asyncio.sleep(min(POLL_S, URGE_EVERY_S))

    async def list_owed(self, session: AsyncSession, now: datetime) -> list[Owed]:
        """All that anybody is to see to."""
        return [
            *await self._obligations(session, now),
            *await obstructions(session, now),
            *await outages(session, now),
            *await waiting_centres(session, now, duration(self._settings.presumed_alive_s)),
        ]

    async def due(self, session: AsyncSession, now: datetime) -> list[Digest]:
        """Decide the digests that would be sent now."""
        stored = await RULES.enabled(session)
        if not stored:
            return []
        committee = committee_of((await agencies(session)).values())
        rules = [rule_of(row, None if committee is None else committee.id) for row in stored]
        entries = await kept.recent(session, now - timedelta(hours=LONGEST_HOURS), or_answered=True)
        urged = [
            Urged(
                row.agency_id,
                row.level,
                millis(row.urged_at),
                None if row.answered_at is None else millis(row.answered_at),
            )
            for row in entries
        ]
        return decide(rules, await self.list_owed(session, now), urged, millis(now))

    async def check(self) -> int:
        """Decide once; returns how many parties are urged. Raises what PostgreSQL raises."""
        now = self._clock()
        async with self._database.transaction() as session:
            if not await kept.try_lock(session):
                return 0
            digests = await self.due(session, now)
            for digest in digests:
                await self.write(session, digest, now, BY_RULES)
        if digests:
            log.info("parties_urged", count=len(digests))
        return len(digests)

    async def write(
        self, session: AsyncSession, digest: Digest, now: datetime, by: str, reason: str | None = None
    ) -> UUID:
        """Enter a digest in the log, to be sent through the party's channels; returns the id of the entry."""
        known = await agencies(session)
        letterhead = await letterhead_of_directive(session, (one.directive_id for one in digest.items), millis(now))
        party = known.get(digest.agency_id)
        reached = [
            row
            for row in await CHANNELS.enabled(session)
            if row.agency_id == digest.agency_id and row.kind in digest.channel_kinds
        ]
        values = {
            "id": uuid4(),
            "agency_id": digest.agency_id,
            "agency_code": None if party is None else party.code,
            "agency_name": None if party is None else party.name,
            "level": digest.level,
            "rule_ids": list(digest.rule_ids),
            "items": items_kept(digest.items),
            "issuer": issuer_of(known.values(), self._settings, letterhead),
            "urged_at": now,
            "decided_by": by,
            "reason": reason,
        }
        await kept.add(session, values, reached if self._seal is not None else ())
        metrics.URGES.labels(str(digest.level)).inc()
        made = values["id"]
        assert isinstance(made, UUID)
        return made

    async def send(self) -> int:
        """Send once what is due; returns how many messages there were. Raises what PostgreSQL raises."""
        if self._seal is None:
            return 0
        now = self._clock()
        async with self._database.transaction() as session:
            claimed = await kept.claim(session, now, now + LEASE)
        for row in claimed:
            await self._record(row, await self._send(self._seal, row))
        return len(claimed)

    async def _send(self, seal: Seal, row: Any) -> Sent:
        try:
            channel = channels.parse(ChannelKind(row.kind), seal.open(row.address))
        except (SealBrokenError, BadAddressError):
            return Sent.ADDRESS_UNREADABLE
        agency_id = str(row.agency_id)
        text = message(str(row.urge_id), row.agency_name or "", row.level, row.items, millis(row.urged_at), agency_id)
        return await channels.send(channel, text, self._allowed)

    async def _record(self, row: Any, outcome: Sent) -> None:
        now = self._clock()
        metrics.URGE_SENDINGS.labels(outcome.value).inc()
        values: dict[str, Any] = {"outcome": outcome.value}
        if outcome in {Sent.SENT, Sent.SENT_IN_PART}:
            values |= {"state": "sent", "sent_at": now}
        elif (delay := next_delay(row.attempts)) is None:
            values["state"] = "failed"
        else:
            values["next_attempt_at"] = now + delay
        if outcome is not Sent.SENT:
            log.warning("urging_not_sent", urge_id=str(row.urge_id), outcome=outcome.value, attempt=row.attempts)
        async with self._database.transaction() as session:
            await kept.record(session, row.urge_id, row.channel_id, values)


def rule_of(row: Any, committee_id: UUID | None = None) -> Rule:
    """Build a rule as it is stored; `committee_id`: the people's committee of now."""
    party = Party(row.party)
    quiet = None if row.quiet_from is None else Quiet(_minutes(row.quiet_from), _minutes(row.quiet_to))
    return Rule(
        id=row.id,
        about=UrgingTopic(row.about),
        party=party,
        agency_id=committee_id if party is Party.PEOPLES_COMMITTEE else row.agency_id,
        level=row.level,
        threshold=row.hours * HOUR,
        every=row.every_hours * HOUR,
        after_answer=row.after_answer_hours * HOUR,
        quiet=quiet,
        channel_kinds=frozenset(row.channel_kinds),
        obligation_kinds=frozenset(row.obligation_kinds),
    )


def committee_of(known: Iterable[Any]) -> Any:
    """Find the people's committee among these agencies, the first by code; None: the register has none."""
    return next((one for one in known if one.role == AgencyRole.PEOPLES_COMMITTEE.value), None)


def issuer_of(known: Any, settings: Settings, letterhead: Mapping[str, Any]) -> dict[str, Any]:
    """In whose name a letter is drafted: the lead agency, below the people's committee; who signs, where, and whom it
    reports to. `letterhead`: what the directive says of its papers."""
    by_role: dict[str, Any] = {}
    for one in known:
        by_role.setdefault(one.role, one)
    lead, parent = by_role.get(AgencyRole.LEAD.value), by_role.get(AgencyRole.PEOPLES_COMMITTEE.value)
    return {
        "name": None if lead is None else lead.name,
        "code": None if lead is None else lead.code,
        "parent": None if parent is None else parent.name,
        "place": letterhead.get("place") or settings.letter_place,
        "reports_to": list(letterhead.get("addressees") or settings.report_addressees),
        **{name: letterhead[name] for name in _OF_LETTER if letterhead.get(name) is not None},
    }


def _minutes(shown: str) -> int:
    hours, _, minutes = shown.partition(":")
    return int(hours) * 60 + int(minutes)


def digest_by_hand(
    agency_id: UUID,
    level: int,
    owed: Sequence[Owed],
    kinds: frozenset[str],
    now: int,
    about: Collection[str] | None = None,
) -> Digest:
    """Build what a person urges one party about: its obligations that are overdue and the outages of its facilities.

    `about`: codes of the facility that it is urged about alone.
    """
    items = [
        one
        for one in owed
        if agency_id in {one.responsible, one.managing}
        and (one.outage or one.since <= now)
        and (about is None or one.facility_code in about)
    ]
    return Digest(agency_id, level, (), kinds, tuple(in_order(items)))

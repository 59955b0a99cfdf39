"""Whom to urge now, at which level, about what: a pure decision over the rules, what is owed, the log and the clock.

R11: levels 1 (notice), 2 (draft of a letter) and 3 (to the people's committee); one digest for each party and not a
message for each camera; none again within the hours that the rule sets.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from reporting.domain.instants import VIETNAM, Millis, moment

HOUR: Millis = 3_600_000
OBSTRUCTION = "obstruction"
"""Kind of what stands in the way of surveys and connections; rules about overdue obligations count it from its day."""


CENTRE_NOT_ASKING = "centre_not_asking"
"""Kind of a centre that pulls and does not ask; counted as an obstruction is, from when it had its last picture."""


class UrgingTopic(StrEnum):
    """The topic of a rule."""

    OBLIGATION_DUE_SOON = "obligation_due_soon"
    OBLIGATION_OVERDUE = "obligation_overdue"
    OUTAGE = "outage"


class Party(StrEnum):
    """The party that a rule urges."""

    RESPONSIBLE = "responsible"
    """The agency that an obligation makes responsible."""
    MANAGING = "managing"
    """The agency that manages the facility."""
    AGENCY = "agency"
    """One agency for all."""
    PEOPLES_COMMITTEE = "peoples_committee"
    """The people's committee that the register has on the day, for level 3."""


class Owed(NamedTuple):
    """One thing that a party is to see to. `since`: its deadline, or when the outage began."""

    key: str
    outage: bool
    since: Millis
    responsible: UUID | None
    managing: UUID | None
    kind: str | None
    code: str
    title: str
    facility_code: str | None
    facility_name: str | None
    responsible_name: str | None = None
    """Of the agency that owes it, as it was called then."""
    directive: str | None = None
    """The document that orders it, cited in full."""
    directive_id: UUID | None = None
    declared: bool = False
    """Down in maintenance that was declared and never agreed to: it takes nothing out."""
    restricted: bool = False
    """Of a facility that only its own agencies see."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in Asia/Ho_Chi_Minh in which nobody is urged; minutes since midnight, [start, end).

    22:00 to 06:00 goes over midnight.
    """

    start: int
    end: int

    def holds(self, now: Millis) -> bool:
        local = moment(now).astimezone(VIETNAM)
        minute = local.hour * 60 + local.minute
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is urged about what, when and how. Durations in milliseconds.

    `threshold`: overdue or down for at least so long, or due within so long. `every`: not again within. `after_answer`:
    nor within so long of an answer. `agency_id`: the one agency, or the people's committee. `channel_kinds` empty: in
    the log only. `obligation_kinds` empty: all.
    """

    id: UUID
    about: UrgingTopic
    party: Party
    agency_id: UUID | None
    level: int
    threshold: Millis
    every: Millis
    after_answer: Millis = 0
    quiet: Quiet | None = None
    channel_kinds: frozenset[str] = frozenset()
    obligation_kinds: frozenset[str] = frozenset()

    def fits(self, one: Owed, now: Millis) -> bool:
        """Whether it is about this, now. On time is strictly before a deadline: at it, it is overdue (R05)."""
        if self.about is UrgingTopic.OUTAGE:
            return one.outage and now - one.since >= self.threshold
        if one.outage or (self.obligation_kinds and one.kind not in self.obligation_kinds):
            return False
        if self.about is UrgingTopic.OBLIGATION_OVERDUE:
            return now - one.since >= self.threshold
        return one.since - self.threshold <= now < one.since

    def party_of(self, one: Owed) -> UUID | None:
        """None: nobody is known."""
        return {Party.RESPONSIBLE: one.responsible, Party.MANAGING: one.managing}.get(self.party, self.agency_id)


class Urged(NamedTuple):
    """An entry of the log. `answered_at`: the newest answer to it."""

    agency_id: UUID
    level: int
    at: Millis
    answered_at: Millis | None


class Digest(NamedTuple):
    """One message to one party: everything that any rule has against it, at the highest level that is due."""

    agency_id: UUID
    level: int
    rule_ids: tuple[UUID, ...]
    channel_kinds: frozenset[str]
    items: tuple[Owed, ...]


def decide(rules: Iterable[Rule], owed: Collection[Owed], log: Sequence[Urged], now: Millis) -> list[Digest]:
    """Decide the digests to send now, by party."""
    against: dict[UUID, list[tuple[Rule, list[Owed]]]] = {}
    for rule in rules:
        by_party: dict[UUID, list[Owed]] = {}
        for one in owed:
            if rule.fits(one, now) and (party := rule.party_of(one)) is not None:
                by_party.setdefault(party, []).append(one)
        for party, items in by_party.items():
            against.setdefault(party, []).append((rule, items))
    newest = _newest(log)
    digests = []
    for party in sorted(against, key=str):
        due = [rule for rule, _ in against[party] if _is_due(rule, newest.get(party, ()), now)]
        if due:
            level = max(rule.level for rule in due)
            # A rule of a higher level that is not due yet says nothing in the digest of a lower one.
            counted = [(rule, items) for rule, items in against[party] if rule.level <= level]
            digests.append(_digest(party, level, due, counted))
    return digests


def _digest(party: UUID, level: int, due: Sequence[Rule], counted: Sequence[tuple[Rule, list[Owed]]]) -> Digest:
    items = {one.key: one for _, matched in counted for one in matched}
    kinds = frozenset().union(*(rule.channel_kinds for rule in due))
    return Digest(
        party, level, tuple(sorted((rule.id for rule, _ in counted), key=str)), kinds, tuple(in_order(items.values()))
    )


def in_order(owed: Iterable[Owed]) -> list[Owed]:
    """As a message and a letter list it: obligations first, the oldest first; then by code and by facility."""
    return sorted(owed, key=lambda one: (one.outage, one.since, one.code, one.facility_code or "", one.key))


def _newest(log: Sequence[Urged]) -> Mapping[UUID, Sequence[Urged]]:
    found: dict[UUID, list[Urged]] = {}
    for entry in log:
        found.setdefault(entry.agency_id, []).append(entry)
    return found


def _is_due(rule: Rule, log: Sequence[Urged], now: Millis) -> bool:
    """Not in its quiet hours, not urged at this level or above within its hours, not answered lately."""
    if rule.quiet is not None and rule.quiet.holds(now):
        return False
    for entry in log:
        if entry.level < rule.level:
            continue
        if now - entry.at < rule.every:
            return False
        if entry.answered_at is not None and now - entry.answered_at < rule.after_answer:
            return False
    return True

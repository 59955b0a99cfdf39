"""Visits of teams (R14, R16, R21), and inspections (R24)."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select

from inventory.domain.days import VIETNAM, day_of
from inventory.domain.mandate.inspection import HEADINGS as INSPECTION_HEADINGS
from inventory.domain.mandate.inspection import Finding, InspectionFields
from inventory.domain.mandate.visit import HEADINGS, MACHINE, Protection, VisitFields, guards_met, lost
from inventory.domain.people.own_word import ACCESS, BRIEFING, RECORDED_BY, lies_outside
from inventory.nouns.mandate.closable import closed
from inventory.nouns.mandate.states import (
    FIELD_AHEAD,
    OF_VISITS,
    StatusWriter,
    check_happened,
    check_paper_day,
    day_to_come,
    status_filter,
)
from inventory.nouns.noun import Noun
from inventory.nouns.parties import find_recorders
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.writer import Write
from inventory.storage.conflicts import invalid
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import BlockedReason, Inspection, Visit
from vonggac.decree.dates import short_day
from vonggac.events.inventory import BlockedKind, InspectionV1, VisitPurpose, VisitStatus, VisitV1

OBSTRUCTED_ON = "Cản trở lượt làm việc ngày"
"""How the blocked reason of an obstructed visit begins."""
LONGEST_LINE = 500

_RECORDER: Any = Field(description=RECORDED_BY)


class VisitResponse(Shown, Acted):
    """One visit."""

    acts: ClassVar[Acts] = dict.fromkeys((BRIEFING.recorded_by, ACCESS.recorded_by))

    facility_id: UUID
    team_id: UUID
    purpose: VisitPurpose
    remote: bool
    status: VisitStatus
    planned_from: AwareDatetime
    planned_to: AwareDatetime
    gate_contact: str | None
    gate_phone: str | None
    escort: str | None
    access_given_by: str | None
    access_from: AwareDatetime | None
    access_to: AwareDatetime | None
    access_document: str | None
    access_signed_on: date | None
    access_file: str | None
    access_recorded_by: str | None = _RECORDER
    entered_at: AwareDatetime | None
    left_at: AwareDatetime | None
    zones: tuple[str, ...]
    protection: tuple[Protection, ...]
    health_declared: bool
    briefed_by: str | None
    briefed_at: AwareDatetime | None
    briefing_document: str | None
    briefing_signed_on: date | None
    briefing_file: str | None
    briefing_recorded_by: str | None = _RECORDER
    rules_acknowledged: tuple[str, ...]
    tools_disinfected: bool
    available_from: date | None
    obstruction: str | None
    note: str | None
    signed_on: date | None
    document_number: str | None
    document_file: str | None
    document_sha256: str | None


async def _check(transaction: WriteTransaction, before: Visit | None, after: Visit | None) -> None:
    """Raise ProblemError 422 for times to come, 409 when a visit would no longer say what it needed to begin (R16)."""
    if after is None:
        return
    times = ("briefed_at", "entered_at", "left_at")
    check_happened(transaction.now, before, after, *times, ahead=FIELD_AHEAD)
    await check_paper_day(transaction, "signed_on", before, after, OF_VISITS.get(after.purpose, ()))
    for word in _WORDS:
        await check_paper_day(transaction, word.document[1], before, after, ())
    if before is not None and (missing := lost(before, after)):
        msg = f"the visit is {after.status}: that {MACHINE.sentence(missing[0])} stays on record"
        raise closed(msg)


async def _guards(transaction: WriteTransaction, visit: Visit, _target: Any) -> Collection[str]:
    away = select(Visit.id).where(
        Visit.team_id == visit.team_id,
        Visit.facility_id != visit.facility_id,
        Visit.status != VisitStatus.CANCELLED,
        Visit.available_from > day_of(transaction.now),
    )
    is_kept_away = await transaction.session.scalar(away.limit(1)) is not None
    return guards_met(visit, transaction.actor.reason, is_kept_away=is_kept_away)


_WORDS = (BRIEFING, ACCESS)
_NO_ACCESS: Mapping[str, Any] = dict.fromkeys((*ACCESS.fields, *ACCESS.document))
_ANEW: Mapping[str, Any] = {
    **dict.fromkeys((*BRIEFING.fields, *BRIEFING.document)),
    **_NO_ACCESS,
    "rules_acknowledged": (),
    "health_declared": False,
    "entered_at": None,
    "left_at": None,
    "tools_disinfected": False,
}
"""What a team that goes in again does again. The history has what it did the last time."""


async def _block_while_obstructed(transaction: WriteTransaction, before: Any | None, after: Any | None) -> None:
    """Block the facility by what a team met at the gate (R21), until the visit is planned anew or cancelled."""
    was, now = (one is not None and one.status is VisitStatus.OBSTRUCTED for one in (before, after))
    if was is now:
        return
    visit: Any = after if now else before
    about = f"{OBSTRUCTED_ON} {short_day(visit.planned_from.astimezone(VIETNAM))}: {visit.obstruction}"[:LONGEST_LINE]
    today = day_of(transaction.now)
    of_it = select(BlockedReason).where(
        BlockedReason.facility_id == visit.facility_id,
        BlockedReason.kind == BlockedKind.NON_COOPERATION,
        BlockedReason.text == about,
        BlockedReason.valid_to.is_(None),
    )
    held = (await transaction.session.scalars(of_it)).all()
    if now and not held:
        reason = BlockedReason(
            facility_id=visit.facility_id, kind=BlockedKind.NON_COOPERATION, text=about, valid_from=today, valid_to=None
        )
        await transaction.add_thing(reason)
    for one in () if now else held:
        await transaction.change_thing(one, {"valid_to": max(today, one.valid_from)})


class _Writer(StatusWriter[VisitStatus]):
    async def change(self, writing: Write, thing: Any, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Change it: a team that goes in again is briefed again (R16); one at another time asks for access again."""
        again = _ANEW if patch.get("status") == VisitStatus.PLANNED else {}
        before = {name: getattr(thing, name) for name in fields.model_fields}
        after = {**before, **again, **patch}
        if "access_from" not in patch and lies_outside(_span(after, "access"), _span(after, "planned")):
            again = {**again, **_NO_ACCESS}
            after |= _NO_ACCESS
        recorders = await find_recorders(writing, _WORDS, thing.facility_id, before, after)
        await super().change(writing, thing, fields, {**again, **patch, **recorders})

    async def columns(self, writing: Write, fields: BaseModel) -> dict[str, object]:
        """Who recorded the words of the facility."""
        recorders: dict[str, str | None] = dict.fromkeys(word.recorded_by for word in _WORDS)
        given = fields.model_dump()
        return {**recorders, **await find_recorders(writing, _WORDS, given["facility_id"], {}, given)}


def _span(values: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    return values[f"{name}_from"], values[f"{name}_to"]


VISIT = Noun(
    name="visit",
    path="visits",
    vietnamese="lượt làm việc tại cơ sở",
    group="mandate",
    about="Teams at facilities: planned and actual, with epidemic safety (R14, R16, R21).",
    table=Visit,
    fields=VisitFields,
    shown=VisitResponse,
    payload=VisitV1,
    headings=HEADINGS,
    key=("facility_id", "team_id", "planned_from"),
    label="planned_from",
    references={"facility_id": "facility", "team_id": "team"},
    filters=("facility_id", "team_id", "purpose", "remote"),
    sorts=("planned_from", "status"),
    searched_through=("facility_id", "team_id"),
    more_filters=status_filter(VisitStatus),
    machine=MACHINE,
    check=_check,
    guards=_guards,
    writer=_Writer(MACHINE, *(word.recorded_by for word in _WORDS)),
    after_change=_block_while_obstructed,
)


def _before_found(day: date, inspected_on: date) -> str:
    days = f"is {day.isoformat()}, before {inspected_on.isoformat()}, the day of the inspection that found it"
    return f"{days}: correct one of the two days"


async def _check_inspected(transaction: WriteTransaction, before: Inspection | None, after: Inspection | None) -> None:
    """Raise ProblemError 422 for an inspection to come, which would put off the next one, or a finding mended then."""
    if after is None:
        return
    check_happened(transaction.now, before, after, "inspected_on")
    await check_paper_day(transaction, "inspected_on", before, after, ())
    # A new one holds what its fields dumped.
    found, known = (
        [Finding.model_validate(one, from_attributes=True) for one in (each.findings if each is not None else ())]
        for each in (after, before)
    )
    today = day_of(transaction.now)
    added = found if before is None or before.inspected_on != after.inspected_on else [*set(found) - set(known)]
    for name in ("mend_by", "mended_on"):
        days = sorted(day for day in (getattr(one, name) for one in added) if day is not None)
        if days and days[0] < after.inspected_on:
            raise invalid("findings", f"{name} {_before_found(days[0], after.inspected_on)}")
        if days and name == "mended_on" and days[-1] > today:
            raise invalid("findings", f"{name} {day_to_come(days[-1], today)}")


INSPECTION = Noun(
    name="inspection",
    path="inspections",
    vietnamese="lượt kiểm tra",
    group="mandate",
    about="Inspections of facilities by steering committees, with findings (R24).",
    table=Inspection,
    fields=InspectionFields,
    payload=InspectionV1,
    headings=INSPECTION_HEADINGS,
    key=("facility_id", "inspected_on", "agency_id"),
    label="inspected_on",
    references={"facility_id": "facility", "agency_id": "agency"},
    filters=("facility_id", "agency_id", "inspected_on"),
    sorts=("inspected_on",),
    searched_through=("facility_id", "agency_id"),
    check=_check_inspected,
)

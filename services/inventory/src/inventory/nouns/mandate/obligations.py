"""Obligations (R05, R06), each with every deadline that it ever had."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Any, ClassVar, cast
from uuid import UUID

from pydantic import AwareDatetime, BaseModel
from sqlalchemy import select

from inventory.domain.days import day_of
from inventory.domain.mandate.deadline import Deadline
from inventory.domain.mandate.obligation import HEADINGS, MACHINE, ObligationFields, guards_met
from inventory.nouns.mandate.states import StatusWriter, cause_of, check_happened, refuse_wrong_day, status_filter
from inventory.nouns.noun import Noun
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.units import refuse_ended
from inventory.nouns.writer import Write
from inventory.storage.conflicts import invalid, unknown_reference
from inventory.storage.queries.sight import sees
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Directive, Facility, Obligation
from vonggac.events.inventory import FacilityType, ObligationKind, ObligationStatus, ObligationV1
from vonggac.http import ProblemError

SETTLED = ("completed_at", "settled_by", "settled_reason")
"""Columns that a transition sets, beside the status."""


class ObligationResponse(Shown, Acted):
    """One obligation."""

    acts: ClassVar[Acts] = {"settled_by": None, "deadlines.set_by": "set_at"}

    code: str
    name: str
    kind: ObligationKind
    directive_id: UUID
    responsible_agency_id: UUID
    due_before: AwareDatetime | None
    deadlines: tuple[Deadline, ...]
    facility_types: tuple[FacilityType, ...]
    managing_agency_id: UUID | None
    unit_id: UUID | None
    with_cameras: bool | None
    facility_ids: tuple[UUID, ...]
    every_days: int | None
    due_after_days: int | None
    note: str | None
    status: ObligationStatus
    completed_at: AwareDatetime | None
    settled_by: str | None
    settled_reason: str | None


class _Writer(StatusWriter[ObligationStatus]):
    """The deadline that it is created with is the first of its deadlines."""

    async def columns(self, writing: Write, fields: BaseModel) -> dict[str, object]:
        given, transaction = cast("ObligationFields", fields), writing.transaction
        first = Deadline(
            due_before=given.due_before,
            set_at=transaction.now,
            set_by=transaction.actor.subject,
            reason=transaction.actor.reason,
            directive_id=given.directive_id,
        )
        return {"deadlines": (first,)}


async def _check(transaction: WriteTransaction, before: Obligation | None, after: Obligation | None) -> None:
    """Raise ProblemError 422 for a facility that does not exist, 409 for a deadline that would be overwritten; 422 for
    a unit or an agency that had ended when its directive was issued."""
    if after is None:
        return
    if before is not None and before.due_before != after.due_before and before.deadlines == after.deadlines:
        msg = "a deadline is never overwritten: POST /v1/obligations/{id}/deadlines adds the next one, with its reason"
        raise ProblemError(HTTPStatus.CONFLICT, "deadline_stands", msg)
    check_happened(transaction.now, before, after, "completed_at")
    await _check_completed(transaction, before, after)
    await _check_directive(transaction, before, after)
    directive = await transaction.session.get(Directive, after.directive_id)
    await refuse_ended(transaction, before, after, since=None if directive is None else directive.issued_on)
    if wanted := set(after.facility_ids):
        found = set((await transaction.session.scalars(select(Facility.id).where(Facility.id.in_(wanted)))).all())
        if unknown := sorted(str(one) for one in wanted - found):
            raise invalid("facility_ids", f"there is no facility with the id {', '.join(unknown)}")


async def _check_completed(transaction: WriteTransaction, before: Obligation | None, after: Obligation) -> None:
    """Raise ProblemError 422 when it was completed before the day of its directive."""
    done_at = after.completed_at
    if done_at is None or (before is not None and before.completed_at == done_at):
        return
    directive = await transaction.session.get_one(Directive, after.directive_id)
    refuse_wrong_day(transaction, "completed_at", day_of(done_at), cause_of(directive))


async def _check_directive(transaction: WriteTransaction, before: Obligation | None, after: Obligation) -> None:
    """Raise ProblemError 422 when the newest deadline is set by a directive that does not exist."""
    newest = after.deadlines[-1].directive_id
    if before is not None and before.deadlines != after.deadlines and newest is not None:
        there = await transaction.session.get(Directive, newest) is not None
        if not there or not await sees(transaction.session, Directive, newest):
            raise unknown_reference("directive_id", "directive")


async def _guards(transaction: WriteTransaction, obligation: Obligation, _target: Any) -> Collection[str]:
    return guards_met(obligation.completed_at, obligation.due_before, transaction.actor.reason)


OBLIGATION = Noun(
    name="obligation",
    path="obligations",
    vietnamese="nghĩa vụ",
    group="mandate",
    about="What a directive demands, of whom, for which facilities and until when (R05, R06).",
    table=Obligation,
    fields=ObligationFields,
    shown=ObligationResponse,
    payload=ObligationV1,
    headings=HEADINGS,
    references={
        "directive_id": "directive",
        "responsible_agency_id": "agency",
        "managing_agency_id": "agency",
        "unit_id": "unit",
    },
    shows_others=True,
    mentions={"facility_ids": "facility", "deadlines.directive_id": "directive"},
    filters=("code", "kind", "directive_id", "responsible_agency_id", "managing_agency_id", "unit_id"),
    sorts=("code", "name", "kind", "status"),
    searched_through=("directive_id", "responsible_agency_id"),
    more_filters=status_filter(ObligationStatus),
    machine=MACHINE,
    check=_check,
    guards=_guards,
    writer=_Writer(MACHINE, *SETTLED, "due_before", "deadlines"),
    hand_written=frozenset({"transitions"}),
)

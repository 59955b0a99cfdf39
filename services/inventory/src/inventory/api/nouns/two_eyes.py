"""Who wrote does not approve, whatever way the write comes; where the province allows it, each use is on record."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.domain.days import day_of
from inventory.domain.people.approvals import (
    LoggedChange,
    approves,
    find_writers,
    refuse_alone,
    refuse_writer,
    writes,
)
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.change_log import snapshot
from inventory.storage.queries.plans import find_exception_from_two_eyes
from inventory.storage.tables import Change, Facility, SelfApproval, SurveyContent
from vonggac.http import ProblemError

_EXCEPTION = "plan_exception"


async def check_two_eyes(writing: Write, noun: Noun, before: Any | None, after: Any) -> None:
    """Raise ProblemError 403 that names who wrote, when the caller approves what it wrote itself."""
    old, new = None if before is None else snapshot(before), snapshot(after)
    if not approves(noun.name, old, new):
        return
    caller = writing.caller.subject
    if noun.name == _EXCEPTION:
        if writing.asked_by is not None:
            return
        facility = await writing.transaction.session.get_one(Facility, after.facility_id)
        refusal = refused("wrote_it", refuse_alone(_EXCEPTION, caller))
        await allow_alone(writing, _EXCEPTION, after.id, facility.code, after.facility_id, refusal)
        return
    writers = await _load_writers(writing, noun.name, after.id)
    if writes(noun.name, old, new):
        writers |= {caller}
    if caller in writers:
        refusal = refused("wrote_it", refuse_writer(noun.name, after.code, writers, caller))
        await allow_alone(writing, noun.name, after.id, after.code, after.facility_id, refusal)


def refused(code: str, sentences: tuple[str, str]) -> ProblemError:
    """Build the 403 of who would approve alone. `sentences`: in English and Vietnamese."""
    return ProblemError(HTTPStatus.FORBIDDEN, code, sentences[0], detail_vi=sentences[1])


async def allow_alone(
    writing: Write, noun: str, thing_id: UUID, label: str, facility_id: UUID | None, refusal: ProblemError
) -> None:
    """Put on record that who wrote approves. Raises `refusal` where the province has two pairs of eyes."""
    transaction = writing.transaction
    rule = await find_exception_from_two_eyes(transaction.session, facility_id, day_of(transaction.now))
    if rule is None:
        raise refusal
    approval = SelfApproval(
        about_noun=noun,
        about_id=thing_id,
        label=label,
        facility_id=facility_id,
        approved_by=writing.caller.subject,
        approver_name=writing.caller.name or None,
        approver_post=writing.caller.post or None,
        approved_at=transaction.now,
        rule_id=rule.id,
        why=rule.why,
    )
    await transaction.add_thing(approval)


async def _load_writers(writing: Write, noun: str, thing_id: UUID) -> frozenset[str]:
    """Who wrote it up to this write; lines of this write that wait to be stored count too."""
    transaction = writing.transaction
    logged = select(Change.changed_by, Change.before, Change.after).where(
        Change.thing_id == thing_id, Change.noun == noun
    )
    stored = [LoggedChange(*row) for row in await transaction.session.execute(logged)]
    waiting: Iterable[LoggedChange] = (
        LoggedChange(transaction.actor.subject, old, new) for old, new in transaction.log.states_of(thing_id)
    )
    writers = find_writers(noun, [*stored, *waiting])
    if noun == "survey":
        sent = select(SurveyContent.received_by).where(SurveyContent.survey_id == thing_id).distinct()
        writers |= set((await transaction.session.scalars(sent)).all())
    return writers

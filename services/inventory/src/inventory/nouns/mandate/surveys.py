"""Surveys (R03, R16, R19, R20)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from inventory.domain.days import day_of
from inventory.domain.mandate.surveying.attachments import Attachment, missing_contents
from inventory.domain.mandate.surveying.form import SurveyForm
from inventory.domain.mandate.surveying.survey import (
    HEADINGS,
    MACHINE,
    SAFE,
    WENT_IN,
    Participant,
    SurveyFields,
    is_open,
    met_guards,
)
from inventory.domain.paper import PAPER, Cause
from inventory.domain.people.own_word import BRIEFING, RECORDED_BY
from inventory.nouns.mandate.closable import ClosableWriter, closed
from inventory.nouns.mandate.states import FIELD_AHEAD, SURVEYED, check_happened, check_paper_day, status_filter
from inventory.nouns.mandate.surveyed_areas import record_coverage
from inventory.nouns.noun import Noun
from inventory.nouns.parties import find_recorders
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.writer import Write, merge
from inventory.storage.conflicts import unknown_reference
from inventory.storage.queries.contents import stored_hashes
from inventory.storage.queries.plans import agency_roles
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Survey
from vonggac.auth.policy.duties import DECIDERS
from vonggac.events.inventory import SurveyStatus, SurveyV1, SurveyVerdict

_BRIEFING = (
    *BRIEFING.fields, *BRIEFING.document, BRIEFING.recorded_by, "rules_version", "acknowledged_by", "acknowledged_at",
)  # fmt: skip


_RECORDER: Any = Field(description=RECORDED_BY)


class SurveyResponse(Shown, Acted):
    """One survey."""

    acts: ClassVar[Acts] = {"approved_by": "approved_at", BRIEFING.recorded_by: None}

    code: str
    facility_id: UUID
    status: SurveyStatus
    status_since: AwareDatetime
    mode: str
    lead_name: str | None
    lead_phone: str | None
    lead_agency_id: UUID | None
    basis: str | None
    scheduled_on: date | None
    surveyed_on: date | None
    place: str | None
    briefed_by: str | None
    briefed_at: AwareDatetime | None
    briefing_document: str | None
    briefing_signed_on: date | None
    briefing_file: str | None
    briefing_recorded_by: str | None = _RECORDER
    rules_version: str | None
    acknowledged_by: str | None
    acknowledged_at: AwareDatetime | None
    participants: tuple[Participant, ...]
    verdict: SurveyVerdict | None
    verdict_reason: str | None
    form: SurveyForm | None
    attachments: tuple[Attachment, ...]
    submission_id: UUID | None
    submitted_at: AwareDatetime | None
    approved_at: AwareDatetime | None
    approved_by: str | None
    note: str | None
    signed_on: date | None
    document_number: str | None
    document_file: str | None
    document_sha256: str | None


class _Writer(ClosableWriter):
    own_columns = frozenset({"submission_id", BRIEFING.recorded_by})

    async def columns(self, writing: Write, fields: BaseModel) -> dict[str, Any]:
        """Who recorded the facility's word on the briefing."""
        given = dict(fields)
        return {
            BRIEFING.recorded_by: None,
            **await find_recorders(writing, (BRIEFING,), given["facility_id"], {}, given),
        }

    async def change(self, writing: Write, thing: Any, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Change the survey; the facility's word on the briefing is its own, or recorded by its document."""
        if not patch.keys() & {*BRIEFING.fields, *BRIEFING.document}:
            await super().change(writing, thing, fields, patch)
            return
        before = {name: getattr(thing, name) for name in (*BRIEFING.fields, *BRIEFING.document)}
        self.refuse_closed(thing, patch)
        recorders = await find_recorders(writing, (BRIEFING,), thing.facility_id, before, before | dict(patch))
        await super().change(writing, thing, fields, {**patch, **recorders})

    async def transition_columns(self, writing: Write, thing: Any, target: Any) -> dict[str, Any]:
        """Set the columns of a transition: a team that goes in again is briefed again (R16)."""
        transaction = writing.transaction
        if target is SurveyStatus.SCHEDULED and thing.status is not SurveyStatus.ASSIGNED:
            return dict.fromkeys(_BRIEFING)
        if target is SurveyStatus.SUBMITTED:
            return {"submitted_at": transaction.now}
        if target is SurveyStatus.APPROVED:
            return {"approved_at": transaction.now, "approved_by": transaction.actor.subject}
        return {}

    def refuse_closed(self, thing: Any, stated: Mapping[str, Any]) -> None:
        if not is_open(thing.status) and stated.keys() - PAPER:
            way = "the lead returns it first" if thing.status is SurveyStatus.SUBMITTED else "make another survey"
            msg = f"the survey is {thing.status}, and its record does not change: {way}"
            raise closed(msg)


async def _check(transaction: WriteTransaction, before: Survey | None, after: Survey | None) -> None:
    if after is None:
        if before is not None and before.status is SurveyStatus.APPROVED:
            msg = "an approved survey is a record of what was found, and stays"
            raise closed(msg)
        return
    times = ("briefed_at", "acknowledged_at", "surveyed_on")
    check_happened(transaction.now, before, after, *times, ahead=FIELD_AHEAD)
    await check_paper_day(transaction, "signed_on", before, after, SURVEYED, *_survey_made(after))
    await check_paper_day(transaction, BRIEFING.document[1], before, after, ())
    if before is not None and before.status is after.status and after.status in WENT_IN:
        missing = SAFE & await survey_guards(transaction, before, None) - await survey_guards(transaction, after, None)
        if missing:
            msg = f"the survey is {after.status}: that {MACHINE.sentence(min(missing))} stays on record"
            raise closed(msg)
    agencies = {one.agency_id for one in after.participants if one.agency_id is not None}
    if agencies - (await agency_roles(transaction.session, agencies)).keys():
        raise unknown_reference("participants", "agency")


def _survey_made(survey: Survey) -> list[Cause]:
    if survey.surveyed_on is None:
        return []
    return [Cause(survey.surveyed_on, "the day of the survey (surveyed_on)", "ngày khảo sát (surveyed_on)")]


async def survey_guards(transaction: WriteTransaction, survey: Survey, _target: Any) -> frozenset[str]:
    """Which guards of a survey hold."""
    fields = merge(SurveyFields, survey, {})
    agencies = {one.agency_id for one in fields.participants if one.agency_id is not None}
    return met_guards(
        fields,
        roles=await agency_roles(transaction.session, agencies),
        missing=missing_contents(fields.attachments, await stored_hashes(transaction.session, survey.id)),
        by_lead=not DECIDERS.isdisjoint(transaction.actor.roles),
        today=day_of(transaction.now),
    )


SURVEY = Noun(
    name="survey",
    path="surveys",
    vietnamese="khảo sát",
    group="mandate",
    about="Surveys of facilities: participants, findings and verdict (R03, R19, R20).",
    table=Survey,
    fields=SurveyFields,
    shown=SurveyResponse,
    payload=SurveyV1,
    headings=HEADINGS,
    references={"facility_id": "facility", "lead_agency_id": "agency"},
    mentions={"participants.agency_id": "agency"},
    filters=("code", "facility_id", "verdict", "scheduled_on", "surveyed_on", "mode"),
    more_filters=status_filter(SurveyStatus),
    sorts=("code", "status", "status_since"),
    unchangeable=frozenset({"facility_id"}),
    searched_through=("facility_id",),
    machine=MACHINE,
    check=_check,
    guards=survey_guards,
    after_change=record_coverage,
    writer=_Writer(MACHINE),
)

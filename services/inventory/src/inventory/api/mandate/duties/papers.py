"""The papers by which a proposal reaches its decider: submission, report on the state of the site, connection plan."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date
from uuid import UUID

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.api.mandate.minutes import DOCX, find_of_role, hide_phone, no_lead
from inventory.domain.days import day_of
from inventory.domain.mandate.planning.plan import PlanFields
from inventory.domain.mandate.planning.proposal import ProposalFields
from inventory.minutes.papers import Heading, PaperForm
from inventory.minutes.plan_paper import plan_paper
from inventory.minutes.proposal_paper import proposal_paper, status_report
from inventory.nouns.mandate.states import CONNECTED, PROPOSED, SURVEYED, find_first_directive
from inventory.nouns.writer import merge
from inventory.storage.queries.sight import read_thing
from inventory.storage.tables import Agency, ConnectionPlan, Facility, InstallationProposal, Survey
from vonggac.auth import guarded_router
from vonggac.decree.citation import cite
from vonggac.events.inventory import AgencyRole, ObligationKind, SurveyStatus
from vonggac.http.openapi import problems

router = guarded_router()
_MEDIA_TYPES = {PaperForm.DOCX: DOCX, PaperForm.PDF: "application/pdf"}
_ANSWERS = {
    200: {"content": {each: {"schema": {"type": "string", "format": "binary"}} for each in _MEDIA_TYPES.values()}},
    **problems({409: "No agency leads the province"}),
}


@router.get(
    "/v1/installation-proposals/{thing_id}/submission.{form}",
    summary="The submission of a proposal (tờ trình), to sign",
    tags=["installation proposals"],
    response_class=Response,
    responses=_ANSWERS,
)
async def get_proposal_submission(thing_id: UUID, form: PaperForm, context: Context) -> Response:
    """In the layout of Decree 30/2020/NĐ-CP, Annex I, as DOCX or PDF (PDF/A-2a, PDF/UA-1) with the same words; number,
    date and signature are left blank."""
    async with context.read_transaction() as session:
        proposal = await read_thing(session, InstallationProposal, thing_id)
        of = await _heading_of(session, context, proposal, PROPOSED)
        newest = select(Survey).where(
            Survey.facility_id == proposal.facility_id, Survey.status == SurveyStatus.APPROVED
        )
        survey = await session.scalar(newest.order_by(Survey.approved_at.desc()).limit(1))
        fields = merge(ProposalFields, proposal, {})
        found = hide_phone(session, survey) if survey is not None else None
    return await _answer(form, lambda: proposal_paper(replace(of, form=form), fields, found), f"to-trinh-{fields.code}")


@router.get(
    "/v1/surveys/{thing_id}/status-report.{form}",
    summary="The report on the state of a site (báo cáo hiện trạng), to sign",
    tags=["surveys"],
    response_class=Response,
    responses=_ANSWERS,
)
async def get_survey_status_report(thing_id: UUID, form: PaperForm, context: Context) -> Response:
    """In the layout of Decree 30/2020/NĐ-CP, Annex I, as DOCX or PDF (PDF/A-2a, PDF/UA-1) with the same words; number,
    date and signature are left blank."""
    async with context.read_transaction() as session:
        survey = await read_thing(session, Survey, thing_id)
        of = await _heading_of(session, context, survey, SURVEYED)
        found = hide_phone(session, survey)
    return await _answer(form, lambda: status_report(replace(of, form=form), found), f"hien-trang-{found.code}")


@router.get(
    "/v1/connection-plans/{thing_id}/plan.{form}",
    summary="A connection plan (phương án kết nối), to sign",
    tags=["connection plans"],
    response_class=Response,
    responses=_ANSWERS,
)
async def get_connection_plan_paper(thing_id: UUID, form: PaperForm, context: Context) -> Response:
    """In the layout of Decree 30/2020/NĐ-CP, Annex I, as DOCX or PDF (PDF/A-2a, PDF/UA-1) with the same words; number,
    date and signature are left blank."""
    async with context.read_transaction() as session:
        plan = await read_thing(session, ConnectionPlan, thing_id)
        of = await _heading_of(session, context, plan, CONNECTED)
        fields, version, consents, code = merge(PlanFields, plan, {}), plan.version, tuple(plan.consents), plan.code
    write = lambda: plan_paper(replace(of, form=form), fields, version, consents)  # noqa: E731
    return await _answer(form, write, f"phuong-an-{code}")


async def _answer(form: PaperForm, write: Callable[[], bytes], name: str) -> Response:
    content = await asyncio.to_thread(write)
    disposition = f'attachment; filename="{name}.{form.value}"'
    return Response(content, media_type=_MEDIA_TYPES[form], headers={"Content-Disposition": disposition})


async def _heading_of(
    session: AsyncSession,
    context: Context,
    thing: InstallationProposal | Survey | ConnectionPlan,
    kinds: Collection[ObligationKind],
) -> Heading:
    """Who leads today, and the oldest directive that demands one of these of the facility."""
    facility = await session.get_one(Facility, thing.facility_id)
    agencies = {one.id: one for one in await session.scalars(select(Agency).order_by(Agency.code))}
    today: date = day_of(context.services.store.now())
    issuer = find_of_role(agencies.values(), AgencyRole.LEAD, today)
    if issuer is None:
        raise no_lead()
    above = agencies.get(issuer.parent_id) if issuer.parent_id is not None else None
    parent = above or find_of_role(agencies.values(), AgencyRole.PEOPLES_COMMITTEE, today)
    directive = await find_first_directive(session, facility, kinds)
    basis = None
    if directive is not None:
        signer = agencies.get(directive.issuer_id)
        basis = cite(
            directive.number, directive.issued_on, signer.name if signer is not None else None, directive.subject
        )
    return Heading(
        issuer=issuer.name,
        issuer_code=issuer.code,
        issuer_parent=parent.name if parent is not None else None,
        facility_name=facility.name,
        facility_address=facility.address,
        basis=basis,
        agencies={one.id: one.name for one in agencies.values()},
        letterhead=None if directive is None else directive.letterhead,
        changed_at=thing.changed_at,
    )

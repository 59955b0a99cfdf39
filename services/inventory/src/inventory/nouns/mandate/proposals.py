"""Installation proposals (R06)."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.mandate.planning.proposal import (
    HEADINGS,
    LATER,
    MACHINE,
    ProposalFields,
    ProposedArea,
    is_open,
    met_guards,
)
from inventory.domain.paper import PAPER
from inventory.nouns.mandate.closable import ClosableWriter, closed
from inventory.nouns.mandate.states import PROPOSED, check_happened, check_paper_day, status_filter
from inventory.nouns.noun import Noun
from inventory.nouns.shown import Shown
from inventory.nouns.writer import merge
from inventory.storage.deliveries import enabled_destinations
from inventory.storage.queries.plans import is_facility_surveyed
from inventory.storage.states import camera_plans
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Facility, InstallationProposal
from vonggac.auth.policy.duties import DECIDERS
from vonggac.events.inventory import FacilityStatus, InstallationProposalV1, PlanBasis, ProposalStatus


class ProposalResponse(Shown):
    """One installation proposal."""

    code: str
    facility_id: UUID
    status: ProposalStatus
    status_since: AwareDatetime
    areas: tuple[ProposedArea, ...]
    recorder: str | None
    line: str | None
    power: str | None
    estimated_cost_vnd: int | None
    lead_time_days: int | None
    proposed_connection: str | None
    decision_number: str | None
    decision_date: date | None
    funding_source: str | None
    installed_on: date | None
    note: str | None
    signed_on: date | None
    document_number: str | None
    document_file: str | None
    document_sha256: str | None


class _Writer(ClosableWriter):
    def refuse_closed(self, thing: Any, stated: Mapping[str, Any]) -> None:
        if is_open(thing.status):
            return
        if thing.status is ProposalStatus.CONNECTED and stated.keys() - PAPER:
            msg = "the proposal is connected, and its record does not change"
            raise closed(msg)
        if late := sorted(stated.keys() - LATER):
            msg = f"the proposal is {thing.status}: {late[0]} is what was decided on, and changes only after a return"
            raise closed(msg)


async def _check(transaction: WriteTransaction, before: Any, after: Any) -> None:
    if after is not None:
        check_happened(transaction.now, before, after, "decision_date", "installed_on")
        await check_paper_day(transaction, "signed_on", before, after, PROPOSED)
    elif not is_open(before.status):
        msg = f"the proposal is {before.status} and stays on record"
        raise closed(msg)


async def _guards(transaction: WriteTransaction, proposal: InstallationProposal, _target: Any) -> Collection[str]:
    session = transaction.session
    facility = await session.get_one(Facility, proposal.facility_id)
    return met_guards(
        merge(ProposalFields, proposal, {}),
        surveyed=await is_facility_surveyed(session, facility.id),
        by_lead=not DECIDERS.isdisjoint(transaction.actor.roles),
        active=facility.status is FacilityStatus.ACTIVE,
        forwarded_as_planned=await _forwarded_as_planned(session, facility.id),
    )


async def _forwarded_as_planned(session: AsyncSession, facility_id: UUID) -> int:
    """Cameras of the facility that are forwarded to every enabled destination under its agreed plan."""
    wanted = {destination.id for destination in await enabled_destinations(session)}
    ids = (await session.scalars(select(Camera.id).where(Camera.facility_id == facility_id))).all()
    count = 0
    async for plans in camera_plans(session, ids):
        for plan in plans:
            planned = {one.destination_id for one in plan.payload.forwarded if one.plan is PlanBasis.AGREED}
            count += bool(wanted) and wanted <= planned
    return count


PROPOSAL = Noun(
    name="installation_proposal",
    path="installation-proposals",
    vietnamese="đề xuất lắp đặt",
    group="mandate",
    about="What facilities without enough cameras need, what it costs and who decided (R06).",
    table=InstallationProposal,
    fields=ProposalFields,
    shown=ProposalResponse,
    payload=InstallationProposalV1,
    headings=HEADINGS,
    references={"facility_id": "facility"},
    filters=("code", "facility_id", "decision_number"),
    more_filters=status_filter(ProposalStatus),
    sorts=("code", "status", "status_since"),
    unchangeable=frozenset({"facility_id"}),
    searched_through=("facility_id",),
    machine=MACHINE,
    check=_check,
    guards=_guards,
    writer=_Writer(MACHINE),
)

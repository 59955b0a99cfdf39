"""Connection plans and the exceptions from them (R04)."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, ClassVar, cast
from uuid import UUID

from pydantic import AwareDatetime, BaseModel
from sqlalchemy import func, select

from inventory.domain.mandate.planning.basis import HEADINGS as EXCEPTION_HEADINGS
from inventory.domain.mandate.planning.basis import ExceptionFields
from inventory.domain.mandate.planning.plan import (
    HEADINGS,
    LATER,
    MACHINE,
    Connection,
    Consent,
    PlanFields,
    is_open,
    met_guards,
    plan_code,
    why_closed,
)
from inventory.nouns.mandate.closable import ClosableWriter, closed
from inventory.nouns.mandate.states import (
    CONNECTED,
    SURVEYED,
    check_day,
    check_happened,
    check_paper_day,
    status_filter,
)
from inventory.nouns.noun import Noun
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.writer import Write, merge
from inventory.storage.conflicts import invalid
from inventory.storage.queries.plans import agency_roles, is_facility_surveyed
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import ConnectionPlan, Destination, Facility, PlanException
from vonggac.events.inventory import ConnectionPlanV1, PlanExceptionV1, PlanStatus


class PlanResponse(Shown, Acted):
    """One version of a facility's plan."""

    acts: ClassVar[Acts] = {"consents.recorded_by": None}

    code: str
    facility_id: UUID
    version: int
    status: PlanStatus
    status_since: AwareDatetime
    agreed_at: AwareDatetime | None
    connections: tuple[Connection, ...]
    connect_by: date | None
    responsible_lead: str | None
    responsible_operator: str | None
    consents: tuple[Consent, ...]
    note: str | None
    signed_on: date | None
    document_number: str | None
    document_file: str | None
    document_sha256: str | None
    connected_on: date | None
    acceptance_number: str | None
    acceptance_file: str | None
    acceptance_sha256: str | None


class _Writer(ClosableWriter):
    own_columns = frozenset({"consents"})

    async def columns(self, writing: Write, fields: BaseModel) -> dict[str, Any]:
        """Compute the next version of the facility, and its code."""
        session = writing.transaction.session
        given = cast("PlanFields", fields)
        facility = await session.get_one(Facility, given.facility_id)
        newest = select(func.max(ConnectionPlan.version)).where(ConnectionPlan.facility_id == facility.id)
        version = (await session.scalar(newest) or 0) + 1
        return {"version": version, "code": plan_code(facility.code, version), "consents": ()}

    async def transition_columns(self, writing: Write, thing: Any, target: Any) -> dict[str, Any]:
        """Supersede the version that was agreed before; a draft has nobody's consent."""
        if target is PlanStatus.DRAFT:
            return {"consents": ()}
        if target is not PlanStatus.AGREED:
            return {}
        transaction = writing.transaction
        agreed = select(ConnectionPlan).where(
            ConnectionPlan.facility_id == thing.facility_id, ConnectionPlan.status == PlanStatus.AGREED
        )
        for earlier in (await transaction.session.scalars(agreed)).all():
            now = {"status": PlanStatus.SUPERSEDED, "status_since": transaction.now}
            await transaction.change_thing(earlier, now)
        transaction.mark_facility_stale(thing.facility_id)
        return {"agreed_at": transaction.now}

    def refuse_closed(self, thing: Any, stated: Mapping[str, Any]) -> None:
        if not is_open(thing.status) and stated.keys() - LATER:
            raise closed(why_closed(thing.status))


async def _check(transaction: WriteTransaction, before: Any, after: Any) -> None:
    if after is None:
        if before.status is not PlanStatus.DRAFT:
            msg = f"the plan is {before.status} and stays on record: only a draft is removed"
            raise closed(msg)
        return
    await _check_papers(transaction, before, after)
    if before is not None and before.connections == after.connections:
        return
    wanted = {code for one in after.connections for code in one.destination_codes}
    known = set(await transaction.session.scalars(select(Destination.code).where(Destination.code.in_(wanted))))
    if wanted - known:
        there = ", ".join(sorted(await transaction.session.scalars(select(Destination.code))))
        raise invalid("connections", f"there is no destination {min(wanted - known)}; there are: {there}")


async def _check_papers(transaction: WriteTransaction, before: Any, after: Any) -> None:
    await check_paper_day(transaction, "signed_on", before, after, SURVEYED)
    await check_paper_day(transaction, "connected_on", before, after, CONNECTED)
    for one in after.consents:
        if before is None or one not in before.consents:
            await check_day(transaction, "given_on", one.given_on, after.facility_id, SURVEYED)


async def _guards(transaction: WriteTransaction, plan: ConnectionPlan, _target: Any) -> Collection[str]:
    session = transaction.session
    facility = await session.get_one(Facility, plan.facility_id)
    return met_guards(
        merge(PlanFields, plan, {}),
        plan.consents,
        roles=await agency_roles(session, {one.agency_id for one in plan.consents}),
        managing_agency_id=facility.managing_agency_id,
        surveyed=await is_facility_surveyed(session, facility.id),
    )


async def _check_decided(transaction: WriteTransaction, before: Any, after: Any) -> None:
    """Raise ProblemError 422 for an exception that is decided on a day to come: it holds at once."""
    if after is not None:
        check_happened(transaction.now, before, after, "decided_on")


async def _republish_cameras(transaction: WriteTransaction, before: Any, after: Any) -> None:
    """Publish the cameras again: their messages say under what they are forwarded."""
    for one in (before, after):
        if one is not None:
            transaction.mark_facility_stale(one.facility_id)


PLAN = Noun(
    name="connection_plan",
    path="connection-plans",
    vietnamese="phương án kết nối",
    group="mandate",
    about="Connection plans of facilities, in versions: cameras are forwarded only under the agreed one (R04).",
    table=ConnectionPlan,
    fields=PlanFields,
    shown=PlanResponse,
    payload=ConnectionPlanV1,
    headings=HEADINGS,
    references={"facility_id": "facility"},
    mentions={"consents.agency_id": "agency"},
    filters=("facility_id", "connect_by"),
    more_filters=status_filter(PlanStatus),
    sorts=("code", "status", "status_since", "version"),
    unchangeable=frozenset({"facility_id"}),
    searched_through=("facility_id",),
    machine=MACHINE,
    check=_check,
    guards=_guards,
    writer=_Writer(MACHINE),
)

PLAN_EXCEPTION = Noun(
    name="plan_exception",
    path="plan-exceptions",
    vietnamese="ngoại lệ phương án kết nối",
    group="mandate",
    about="Facilities whose cameras are forwarded without an agreed plan, each with a reason that its message carries.",
    table=PlanException,
    fields=ExceptionFields,
    payload=PlanExceptionV1,
    headings=EXCEPTION_HEADINGS,
    key=("facility_id",),
    references={"facility_id": "facility"},
    filters=("facility_id",),
    sorts=("decided_on",),
    label="why",
    unchangeable=frozenset({"facility_id"}),
    check=_check_decided,
    after_change=_republish_cameras,
)

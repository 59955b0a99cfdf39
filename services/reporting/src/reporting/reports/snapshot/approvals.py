"""Two pairs of eyes: who wrote a report does not approve it, and every use of a province's exception is in a report."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import VIETNAM, Millis, millis, moment
from reporting.domain.segments import Period
from reporting.reports.notes import Note
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.chain import frozen_report, report_approval
from reporting.reports.snapshot.register import masked
from reporting.reports.snapshot.report import Report
from reporting.storage import plan
from reporting.storage.mandate import records, units
from reporting.storage.mandate.records import Record
from vonggac.auth.succession import units_and_followers
from vonggac.decree.dates import short_day
from vonggac.decree.naming import name_person

_WORDS = MappingProxyType(
    {
        "survey": ("phiếu khảo sát", "the survey"),
        "connection_plan": ("phương án kết nối", "the connection plan"),
        "installation_proposal": ("đề xuất lắp đặt", "the installation proposal"),
        "plan_exception": ("ngoại lệ phương án kết nối của cơ sở", "the exception from the plan of facility"),
        "decision_request": ("đề nghị", "the request"),
        "report": ("báo cáo", "the report"),
    }
)


class Use(NamedTuple):
    """Somebody approved what the same person wrote."""

    at: Millis
    by: str
    noun: str
    label: str
    why: str | None = None


async def load_authors(session: AsyncSession, report: Report) -> frozenset[str]:
    """Whoever froze this version or one before it: their words stand in it."""
    found = select(frozen_report.c.author).where(
        frozen_report.c.id == report.id, frozen_report.c.version <= report.header.version
    )
    return frozenset((await session.scalars(found)).all())


def refuse_author(authors: Iterable[str], caller: str) -> tuple[str, str]:
    """Write what an author is answered who would approve, in English and Vietnamese."""
    who = ", ".join(sorted(authors))
    detail = (
        f"the report was written by {who}: who wrote does not approve, and the token is of {caller}; somebody else who "
        "decides approves it (role 'province_lead' or 'decider')"
    )
    detail_vi = (
        f"Báo cáo do {who} lập: người lập không tự duyệt, và tài khoản này là của {caller}; phải do người khác có "
        "quyền quyết định duyệt (vai trò 'province_lead' hoặc 'decider')"
    )
    return detail, detail_vi


async def allows_authors(session: AsyncSession, report: Report, now: datetime) -> bool:
    """Whether each province of the report's facilities allows that who wrote approves."""
    at, day = millis(now), now.astimezone(VIETNAM).date()
    known = await records.read(session, ("approval_rule", "unit"), at)
    around = {one.id: units.links(one.state, day) for one in known.at("unit", at)}
    in_force = [
        one
        for one in known.at("approval_rule", at)
        if one.state["valid_from"] <= day.isoformat()
        and (one.state["valid_to"] is None or one.state["valid_to"] >= day.isoformat())
    ]
    places = await plan.places(session, plan.Scope(), Period(at, at + 1))
    wanted = {str(row["facility_id"]) for row in report.tables.get("facilities", ())}
    unit_ids = {one.unit.id for one in places.facilities if str(one.id) in wanted}
    return bool(unit_ids) and all(_allows(in_force, units_and_followers(each, around)) for each in unit_ids)


def _allows(rules: Collection[Record], provinces: Collection[UUID]) -> bool:
    found = [one for one in rules if UUID(one.state["unit_id"]) in provinces]
    newest = max(found, key=lambda one: str(one.state["valid_from"]), default=None)
    return newest is not None and not newest.state["two_persons"]


async def load_uses(session: AsyncSession, period: Period, facilities: Collection[str], *, whole: bool) -> list[Use]:
    """Load the uses of a period at these facilities; `whole`: those of the province too."""
    known = await records.read(session, ("self_approval",), period.end)
    found = [
        Use(at, _by_name(one.state), one.state["about_noun"], one.state["label"], masked(one.state["why"]))
        for one in known.at("self_approval", period.end)
        if period.start <= (at := millis(datetime.fromisoformat(one.state["approved_at"]))) < period.end
        and (str(one.facility_id) in facilities or (whole and one.facility_id is None))
    ]
    return sorted([*found, *(await _of_reports(session, period) if whole else ())])


def _by_name(state: Mapping[str, Any]) -> str:
    """Name who approved; of an approval that was kept before names were, the login alone."""
    return name_person(state["approved_by"], state.get("approver_name"), state.get("approver_post"))


async def _of_reports(session: AsyncSession, period: Period) -> list[Use]:
    earlier = frozen_report.alias()
    wrote = exists().where(
        earlier.c.id == frozen_report.c.id,
        earlier.c.version <= frozen_report.c.version,
        earlier.c.author == report_approval.c.approved_by,
    )
    approved = select(frozen_report.c.number, *report_approval.c[1:]).join(report_approval)
    since = approved.where(
        wrote, report_approval.c.approved_at >= moment(period.start), report_approval.c.approved_at < moment(period.end)
    )
    rows = await session.execute(since)
    return [
        Use(
            millis(row.approved_at),
            name_person(row.approved_by, row.approver_name, row.approver_post),
            "report",
            f"số {row.number}",
        )
        for row in rows
    ]


def to_rows(uses: list[Use], period: Period) -> list[Row]:
    """How often who wrote approved, and each time: what, by whom, when."""
    if not uses:
        return []
    count = Note(
        "self_approvals",
        period.start,
        period.end,
        len(uses),
        f"Có {len(uses)} lần người lập tự duyệt, theo ngoại lệ mà tỉnh cho phép; từng lần được nêu dưới đây.",
        f"Who wrote approved {len(uses)} times, as the province allowed; each time is named below.",
    )
    return [
        count.to_row(),
        *(_of_moment(at, list(each)).to_row() for at, each in groupby(uses, lambda one: one.at)),
    ]


def _of_moment(at: Millis, uses: list[Use]) -> Note:
    """Note what one write approved as one note."""
    local = moment(at).astimezone(VIETNAM)
    when = f"{local:%H:%M} ngày {short_day(local)}"
    whose = ", ".join(sorted({one.by for one in uses}))
    what = [", ".join(f"{_WORDS[one.noun][side]} {one.label}" for one in uses) for side in (0, 1)]
    why = "; ".join(sorted({one.why for one in uses if one.why}))
    ending, ending_en = (f"; lý do cho phép: {why}", f"; allowed because: {why}") if why else ("", "")
    return Note(
        "self_approval",
        at,
        at,
        len(uses),
        f"{what[0][0].upper()}{what[0][1:]} do {whose} vừa lập vừa duyệt lúc {when}{ending}.",
        f"{what[1][0].upper()}{what[1][1:]} was written and approved by {whose} at {when}{ending_en}.",
    )

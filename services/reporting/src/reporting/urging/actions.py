"""Who did what, from the columns in which each table notes it: urged, answered, froze, approved, issued, set up."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, Text, cast, func, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.reports.snapshot.chain import frozen_report, report_approval
from reporting.storage.availability.tables import availability_target
from reporting.storage.mandate.calendar_feeds import calendar_feed
from reporting.storage.sending.issued import issued_paper
from reporting.storage.sending.regimes import report_regime
from reporting.storage.sending.tables import webhook
from reporting.storage.sending.urging_tables import urge, urge_answer, urge_channel, urge_rule
from vonggac.database.keyset import Ordered, keyset_page
from vonggac.http.lists.actions import ActionFilter
from vonggac.http.lists.words import matcher

MOST_SEARCHED = 20_000
"""Acts that are searched for words: some years of them."""


def _act(
    action: str,
    noun: str,
    of: Table,
    *,
    at: str,
    by: str,
    name: ColumnElement[Any] | None = None,
    reason: ColumnElement[Any] | None = None,
    key: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """One kind of act. `at`, `by`: the columns that note it; `key`: what names its thing, unless that is its id."""
    thing = key if key is not None else of.c.id
    return select(
        of.c[at].label("at"),
        func.concat(literal(f"{action}:{noun}:"), cast(thing, Text)).label("id"),
        of.c[by].label("by"),
        literal(action).label("action"),
        literal(noun).label("noun"),
        (of.c.id if "id" in of.c else null()).label("thing_id"),
        (cast(name, Text) if name is not None else null()).label("name"),
        (reason if reason is not None else null()).label("reason"),
    ).where(of.c[by].is_not(None))


def _of_urges(among: Collection[UUID] | None) -> Iterator[Select[Any]]:
    """Yield the queries of what was said to and by these agencies; None: every agency."""
    asked = _act("urged", "urge", urge, at="urged_at", by="decided_by", name=urge.c.agency_name, reason=urge.c.reason)
    said = _act(
        "answered",
        "answer",
        urge_answer,
        at="recorded_at",
        by="recorded_by",
        name=urge.c.agency_name,
        reason=urge_answer.c.text,
    ).join(urge, urge.c.id == urge_answer.c.urge_id)
    for each in (asked, said):
        yield each if among is None else each.where(urge.c.agency_id.in_(among))


def _of_the_province() -> Iterator[Select[Any]]:
    version = func.concat(cast(frozen_report.c.number, Text), literal("/v"), cast(frozen_report.c.version, Text))
    key = frozen_report.c.number
    yield _act("frozen", "report", frozen_report, at="frozen_at", by="author", name=version, key=key)
    approved = _act(
        "approved",
        "report",
        report_approval,
        at="approved_at",
        by="approved_by",
        name=version,
        key=report_approval.c.number,
    )
    yield approved.join(frozen_report, frozen_report.c.number == report_approval.c.number)
    yield _act("issued", "paper", issued_paper, at="recorded_at", by="recorded_by", name=issued_paper.c.number)
    yield _act(
        "changed",
        "target",
        availability_target,
        at="set_at",
        by="set_by",
        name=func.concat(availability_target.c.metric, literal(" "), cast(availability_target.c.percent, Text)),
        reason=availability_target.c.reason,
        key=func.concat(availability_target.c.metric, literal(":"), cast(availability_target.c.valid_from, Text)),
    )
    for noun, table in (
        ("regime", report_regime),
        ("rule", urge_rule),
        ("channel", urge_channel),
        ("webhook", webhook),
    ):
        yield _act("created", noun, table, at="created_at", by="created_by", name=table.c.name)
        changed = _act("changed", noun, table, at="changed_at", by="changed_by", name=table.c.name)
        yield changed.where(table.c.changed_at > table.c.created_at)
    name = calendar_feed.c.name
    yield _act("created", "calendar", calendar_feed, at="created_at", by="created_by", name=name)
    yield _act("removed", "calendar", calendar_feed, at="revoked_at", by="revoked_by", name=name)


async def page_of_actions(
    session: AsyncSession,
    wanted: ActionFilter,
    among: Collection[UUID] | None,
    paging: tuple[Sequence[Ordered], Sequence[Any] | None, int],
    *,
    count: bool,
) -> tuple[Sequence[Any], int | None]:
    """Read the acts: one more than the page, and the number of all when it is asked.

    `among`: only what was said to and by these agencies; None: everything, the province's own acts too.
    """
    kinds = [*_of_urges(among), *(_of_the_province() if among is None else ())]
    acts = union_all(*kinds).subquery("acts")
    query = select(acts)
    if wanted.since is not None:
        query = query.where(acts.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(acts.c.at < wanted.until)
    if wanted.q is not None:
        has_words = matcher(wanted.q)
        rows = await session.execute(query.order_by(acts.c.at.desc()).limit(MOST_SEARCHED))
        ids = [row.id for row in rows if has_words(row.by, row.action, row.noun, row.name, row.reason)]
        query = query.where(acts.c.id.in_(ids))
    found = (await session.execute(keyset_page(query, {"at": acts.c.at, "id": acts.c.id}, *paging))).all()
    total = await session.scalar(select(func.count()).select_from(query.subquery())) if count else None
    return found, total

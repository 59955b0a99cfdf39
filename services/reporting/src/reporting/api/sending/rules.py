"""/v1/urging/rules: who is urged about what, when, how often, by which channel."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Response
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.parameters import InContext, invalid
from reporting.api.sending.addresses import show
from reporting.api.sending.shapes import UrgingRule, UrgingRuleFields
from reporting.storage.sending.records import MOST, RULES, Records, agencies
from vonggac.auth import Caller, guarded_router
from vonggac.http import ProblemError
from vonggac.http.conditional import IfMatch
from vonggac.http.conditional.if_match import Precondition
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.http.problems import not_found

router = guarded_router(prefix="/v1/urging/rules", tags=["urging"])

RECORD_KEYS: dict[str, Key[Any]] = {
    "name": Key(lambda row: row.name),
    "created_at": Key(lambda row: row.created_at, datetime),
    "id": Key(lambda row: row.id, UUID),
}
LISTED: Listing[Any, UrgingRule] = Listing(UrgingRule, keys=RECORD_KEYS, id_key="id", default_sort="name")
REFUSED = problems({404: "Unknown.", 412: "Changed meanwhile.", 422: "Not allowed.", 428: "If-Match is missing."})


@router.get("", summary="Rules of urging", description="By name.", response_model=None, responses=LISTED.responses)
async def list_urging_rules(
    shared: InContext,
    paging: Annotated[PageQuery[Any, UrgingRule], Depends(LISTED)],
) -> Response:
    async with shared.database.transaction() as session:
        rows, total = await RULES.page(session, paging.orderings, paging.last, paging.limit, count=paging.wants_total)
    page = paging.page(rows, total=total)
    return paging.answer(page, [_shape(row) for row in page.rows])


@router.post(
    "",
    summary="Add a rule of urging",
    description=(
        "Within a minute everybody that it fits is urged: one digest for each party, at the highest level that is due, "
        "with everything that the rules up to that level have against it."
    ),
    status_code=HTTPStatus.CREATED,
    response_model=UrgingRule,
    responses=problems({409: "There are too many.", 422: "Not allowed."}),
)
async def add_urging_rule(body: UrgingRuleFields, shared: InContext, caller: Caller) -> Response:
    async with shared.database.transaction() as session:
        await check_room(session, RULES)
        await check_agency(session, body.agency_id)
        row = await RULES.add(session, {"id": uuid4(), **body.columns()}, shared.clock(), caller.subject)
    return show(_shape(row), row.revision, HTTPStatus.CREATED, f"/v1/urging/rules/{row.id}")


@router.get(
    "/{rule_id}",
    summary="One rule",
    description="Its ETag is its revision.",
    response_model=UrgingRule,
    responses=problems({404: "Unknown."}),
)
async def get_urging_rule(rule_id: UUID, shared: InContext) -> Response:
    async with shared.database.transaction() as session:
        row = await RULES.get(session, rule_id)
    if row is None:
        raise not_found("rule", rule_id)
    return show(_shape(row), row.revision)


@router.put(
    "/{rule_id}",
    summary="Replace a rule",
    description="The whole rule: what is left out has its default.",
    response_model=UrgingRule,
    responses=REFUSED,
)
async def replace_urging_rule(
    rule_id: UUID,
    body: UrgingRuleFields,
    shared: InContext,
    if_match: IfMatch,
    caller: Caller,
) -> Response:
    async with shared.database.transaction() as session:
        await lock_record(session, RULES, "rule", rule_id, if_match)
        await check_agency(session, body.agency_id)
        row = await RULES.change(session, rule_id, body.columns(), shared.clock(), caller.subject)
    return show(_shape(row), row.revision)


@router.delete(
    "/{rule_id}",
    summary="Remove a rule",
    description="The log keeps what it urged.",
    status_code=HTTPStatus.NO_CONTENT,
    responses=REFUSED,
)
async def remove_urging_rule(
    rule_id: UUID,
    shared: InContext,
    if_match: IfMatch,
) -> None:
    async with shared.database.transaction() as session:
        await lock_record(session, RULES, "rule", rule_id, if_match)
        await RULES.remove(session, rule_id)


async def lock_record(
    session: AsyncSession, records: Records, noun: str, record_id: UUID, if_match: Precondition
) -> Any:
    """Lock the record at the revision that was read, and return it. Raises ProblemError 404, 412."""
    row = await records.get(session, record_id, for_update=True)
    if row is None:
        raise not_found(noun, record_id)
    if_match.check(row.revision)
    return row


async def check_room(session: AsyncSession, records: Records) -> None:
    """Check that one more has room. Raises ProblemError 409 when there are too many."""
    if await records.count(session) >= MOST:
        msg = f"there are {MOST} already: remove one that nobody needs"
        raise ProblemError(HTTPStatus.CONFLICT, "too_many", msg)


async def check_agency(session: AsyncSession, agency_id: UUID | None, field: str = "agency_id") -> None:
    """Refuse an agency that the register has not named. Raises ProblemError 422."""
    if agency_id is not None and agency_id not in await agencies(session):
        raise invalid(field, f"no agency {agency_id} is known; give one that inventory lists")


def _shape(row: Any) -> UrgingRule:
    return UrgingRule(**{name: getattr(row, name) for name in UrgingRule.model_fields})

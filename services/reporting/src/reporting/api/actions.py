"""/v1/actions: who urged, answered, froze, approved, issued and set up."""

from typing import Annotated, Any

from fastapi import Depends, Response

from reporting.api.parameters import InContext
from reporting.urging.actions import MOST_SEARCHED, page_of_actions
from vonggac.auth import Caller, guarded_router
from vonggac.http.lists import PageQuery
from vonggac.http.lists.actions import ACTIONS, ActionFilter, ActionResponse, read_filter

router = guarded_router(prefix="/v1/actions", tags=["actions"])


@router.get(
    "",
    summary="Who urged, answered, froze, approved and issued",
    description="Newest first: `urged`, `answered`, `frozen`, `approved`, `issued`; of rules, channels, regimes, "
    "calendars, webhooks and targets `created`, the last `changed`, and `removed`. `rules` and `regimes` are the "
    "service itself. A caller with a scope sees what was said to and by its agencies. `q` searches the newest "
    f"{MOST_SEARCHED:,} of the asked time. `since` is included, `until` is not.",
    response_model=None,
    responses=ACTIONS.responses,
)
async def list_actions(
    shared: InContext,
    caller: Caller,
    paging: Annotated[PageQuery[ActionResponse, ActionResponse], Depends(ACTIONS)],
    wanted: Annotated[ActionFilter, Depends(read_filter)],
) -> Response:
    among = caller.scope.agencies if caller.scope is not None else None
    pages = (paging.orderings, paging.last, paging.limit)
    async with shared.database.transaction() as session:
        rows, total = await page_of_actions(session, wanted, among, pages, count=paging.wants_total)
    page = paging.page([_to_response(row) for row in rows], total=total)
    return paging.answer(page, page.rows)


def _to_response(row: Any) -> ActionResponse:
    return ActionResponse.model_validate(row._asdict())

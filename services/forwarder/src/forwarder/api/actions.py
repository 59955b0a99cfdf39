"""/v1/actions: who stopped and started deliveries."""

from typing import Annotated

from fastapi import Depends, Request, Response
from nats.errors import Error as NatsError

from forwarder.api.delivery_status import find_deliveries, process_of, unavailable
from forwarder.relay.assignment.commands import list_commands
from vonggac.auth import Caller, guarded_router
from vonggac.bus.declared.topology import COMMANDS_KEPT
from vonggac.http.lists import PageQuery
from vonggac.http.lists.actions import ACTIONS, ActionFilter, ActionResponse, read_filter
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/actions", tags=["actions"])


@router.get(
    "",
    summary="Who stopped and started deliveries",
    description=f"`stopped` with its reason and `started`, newest first: the last {COMMANDS_KEPT} of each delivery. Of "
    "deliveries that nobody has reported only to callers who see everything. `since` is included, `until` is not.",
    response_model=None,
    responses={**ACTIONS.responses, **problems({503: "NATS does not answer"})},
)
async def list_actions(
    request: Request,
    caller: Caller,
    paging: Annotated[PageQuery[ActionResponse, ActionResponse], Depends(ACTIONS)],
    wanted: Annotated[ActionFilter, Depends(read_filter)],
) -> Response:
    bus = process_of(request).bus
    if bus is None:
        raise unavailable()
    try:
        commands = await list_commands(bus)
    except (NatsError, TimeoutError, OSError):
        raise unavailable("NATS does not answer. Try again.") from None
    ids = {command.delivery_id for _, command in commands}
    seen = {
        one.observed.delivery_id: one.observed.camera_id
        for one in await find_deliveries(request, caller, lambda observed: observed.delivery_id in ids)
    }
    actions = [
        ActionResponse(
            id=str(revision),
            at=command.at,
            by=command.by,
            action="stopped" if command.stopped else "started",
            noun="delivery",
            thing_id=command.delivery_id,
            camera_ids=[camera_id] if (camera_id := seen.get(command.delivery_id)) is not None else [],
            reason=command.reason,
        )
        for revision, command in commands
        if command.delivery_id in seen or caller.sight.is_everything
    ]
    page = paging.cut(wanted.choose(actions))
    return paging.answer(page, page.rows)

"""/v1/actions: who viewed pictures, and had cameras probed, scanned and read back."""

import re
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from prober.api.bus import AWAY, answered_by_the_bus, bus_of, seen_camera
from prober.messaging import DEMANDS_SHOWN, Demands
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.events.prober import DemandV1
from vonggac.http.lists import PageQuery
from vonggac.http.lists.actions import ACTIONS, ActionFilter, ActionResponse, read_filter
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/actions", tags=["actions"])

_CAMERA = re.compile(r"camera ([0-9a-f-]{36})")
"""As `prober.api.pictures.target_of` names it."""
NAMED = 5
"""Targets that the name of one act has."""


@router.get(
    "",
    summary="Who viewed, probed, scanned and read back",
    description=f"`view`, `probe`, `scan` and `read_back`, newest first, of the last {DEMANDS_SHOWN:,}. `state` "
    "is `refused` where a limit forbade it. A caller with a scope sees those at cameras that it sees, all of them. "
    "`since` is included, `until` is not.",
    response_model=None,
    responses={**ACTIONS.responses, **problems(AWAY)},
)
async def list_actions(
    request: Request,
    caller: Caller,
    paging: Annotated[PageQuery[ActionResponse, ActionResponse], Depends(ACTIONS)],
    wanted: Annotated[ActionFilter, Depends(read_filter)],
) -> Response:
    with answered_by_the_bus():
        demands = await Demands(bus_of(request)).latest()
    actions = wanted.choose([_to_response(one) for one in demands])
    page = paging.cut(await _visible_to(request, caller, actions))
    return paging.answer(page, page.rows)


def _to_response(demand: DemandV1) -> ActionResponse:
    named = [UUID(found) for target in demand.targets for found in _CAMERA.findall(target)]
    camera_ids = [demand.camera_id] if demand.camera_id is not None else named
    return ActionResponse(
        id=str(demand.id),
        at=demand.demanded_at,
        by=demand.caller,
        action=demand.kind.value,
        noun="camera" if camera_ids else "address",
        thing_id=demand.camera_id,
        name=None if camera_ids else _shorten(demand.targets),
        state="refused" if demand.refused is not None else None,
        camera_ids=list(dict.fromkeys(camera_ids)),
    )


def _shorten(targets: Sequence[str]) -> str:
    more = len(targets) - NAMED
    return ", ".join(targets[:NAMED]) + (f" +{more}" if more > 0 else "")


async def _visible_to(request: Request, caller: Principal, actions: list[ActionResponse]) -> list[ActionResponse]:
    """Without what was done at an address, and where a camera is not the caller's: by the register as it is now."""
    if caller.sight.is_everything:
        return actions
    ids = {each for one in actions for each in one.camera_ids}
    seen = {each for each in ids if await seen_camera(request, caller, each) is not None}
    return [one for one in actions if one.camera_ids and seen.issuperset(one.camera_ids)]

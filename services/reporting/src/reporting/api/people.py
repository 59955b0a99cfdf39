"""Who is in office at each facility, for a caller who may see people."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from reporting.api.parameters import Context
from reporting.documents.office.contacts import Contact
from reporting.domain.instants import VIETNAM
from reporting.feeds.focal_points import BusAwayError
from vonggac.auth import Principal
from vonggac.http import ProblemError


async def load_people(shared: Context, caller: Principal) -> Mapping[str, Sequence[Contact]] | None:
    """Who is in office now, by the id of the facility; None: the caller may not see people. Raises ProblemError 503."""
    if not caller.sight.people:
        return None
    today = shared.clock().astimezone(VIETNAM).date()
    assert shared.feed_tasks is not None, "they are part of every app"
    try:
        found = await shared.feed_tasks.focal_points.read(today)
    except BusAwayError:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "bus_unavailable",
            "NATS does not answer, so nobody can say who is in office: try again shortly",
            headers={"Retry-After": "5"},
            detail_vi="hệ thống truyền tin (NATS) không trả lời nên chưa đọc được đầu mối: thử lại sau ít giây",
        ) from None
    return {
        str(facility_id): [Contact(one.full_name, one.position, one.phone) for one in people]
        for facility_id, people in found.items()
    }

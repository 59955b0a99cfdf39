"""New facts about the outages of one camera: a pure comparison of what was published with what is known now.

Late evidence moves, joins, splits and removes outages. What was published is never published otherwise: an outage that
was published as open is closed once, with the times as they are known then.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from reporting.domain.instants import Millis
from reporting.domain.outages import Outage
from vonggac.events.reporting import AfterOutage


class Noticed(NamedTuple):
    """An outage that was published; `end` None: as open."""

    id: UUID
    start: Millis
    end: Millis | None


class Found(NamedTuple):
    """A confirmed outage as it is known now; `followed_by` None while it goes on."""

    outage: Outage
    followed_by: AfterOutage | None


class Opened(NamedTuple):
    """To publish: an outage that is not published yet. With `closed` it is over already."""

    found: Found


class Closed(NamedTuple):
    """To publish: the end of one that is published as open. `found` None: there was none."""

    noticed: Noticed
    start: Millis
    found: Found | None


def changes(noticed: Sequence[Noticed], found: Sequence[Found], since: Millis) -> list[Opened | Closed]:
    """`since`: up to when the watch had noticed what there was; what ended before it is no news."""
    result: list[Opened | Closed] = []
    taken: set[int] = set()
    for one in noticed:
        if one.end is not None:
            continue
        place = next((at for at, each in enumerate(found) if at not in taken and each.outage.end > one.start), None)
        if place is None:
            result.append(Closed(one, one.start, None))
            continue
        taken.add(place)
        now = found[place]
        if now.followed_by is not None:
            start = min(one.start, now.outage.start) if now.outage.began_before else now.outage.start
            result.append(Closed(one, start, now))
    for at, each in enumerate(found):
        if at in taken:
            continue
        over = each.followed_by is not None
        if over and (each.outage.end <= since or any(_overlap(one, each.outage) for one in noticed)):
            continue
        result.append(Opened(each))
    return result


def _overlap(noticed: Noticed, outage: Outage) -> bool:
    return noticed.start < outage.end and (noticed.end is None or outage.start < noticed.end)

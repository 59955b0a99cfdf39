"""When workers watched, as stored."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.lives import Life, presumed, union, watched

_LIVES = text(
    "select worker_id, kind, started_at, ended_at from worker_life where ended_at >= :since and started_at <= :until "
    "order by worker_id, started_at"
)


class Watch(NamedTuple):
    """Who watched when. Forwarders speak each for itself; the prober's schedule goes on while one of them lives."""

    forwarders: dict[str, list[Life]]
    probers: dict[str, list[Life]]

    @property
    def probing(self) -> list[Life]:
        """When at least one prober watched."""
        return watched(self.probers)

    def alive(self, now: Millis) -> "Watch":
        """Those presumed alive at `now`."""
        return Watch(*({name: lives for name, lives in kind.items() if lives[-1].end > now} for kind in self))


async def watch(session: AsyncSession, start: Millis, now: Millis, grace: Millis) -> Watch:
    """Lives that touch [start, now]."""
    found: dict[str, dict[str, list[Life]]] = {"forwarder": {}, "prober": {}}
    rows = await session.execute(_LIVES, {"since": moment(start - grace), "until": moment(now)})
    for row in rows:
        spans = found[row.kind].setdefault(row.worker_id, [])
        spans.append(Life(millis(row.started_at), millis(row.ended_at)))
    for kind in found.values():
        for name, spans in kind.items():
            kind[name] = presumed(union(spans), now, grace)
    return Watch(found["forwarder"], found["prober"])

"""What a transaction changed of the present, announced to every replica with its commit and in the order of commits.

PostgreSQL delivers a NOTIFY when its transaction commits, so nobody hears of what is not in the tables. A listener that
was cut off has missed some: it begins anew.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any, NamedTuple, Self
from uuid import UUID

from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from vonggac.database import Database

CHANNEL = "present"
EVERYTHING = "*"
AT_ONCE = 350
"""Ids of a message: PostgreSQL takes less than 8000 bytes."""
_NOTIFY = text("select pg_notify(:channel, payload) from unnest(cast(:payloads as text[])) as payload")


class Later(NamedTuple):
    """Cameras, None: all, that may stand otherwise once `after` is over: something is dated ahead."""

    after: Millis
    cameras: frozenset[UUID] | None


class Announced(NamedTuple):
    """What committed transactions changed. `everything`: the register, or who watched, so any camera may stand
    otherwise."""

    cameras: frozenset[UUID] = frozenset()
    later: tuple[Later, ...] = ()
    everything: bool = False


async def announce(session: AsyncSession, announced: Announced) -> None:
    """Announce it to all replicas when this transaction commits. Raises what PostgreSQL raises."""
    payloads = [EVERYTHING] if announced.everything else []
    payloads += _packed("", announced.cameras)
    for after, cameras in announced.later:
        payloads += [f"{after}:{EVERYTHING}"] if cameras is None else _packed(f"{after}:", cameras)
    if payloads:
        await session.execute(_NOTIFY, {"channel": CHANNEL, "payloads": payloads})


def _packed(prefix: str, cameras: Iterable[UUID]) -> list[str]:
    ordered = sorted(cameras)
    return [prefix + b64encode(b"".join(one.bytes for one in some)).decode() for some in batched(ordered, AT_ONCE)]


def read_payloads(payloads: Sequence[str]) -> Announced:
    """Join what these messages announce together."""
    cameras: set[UUID] = set()
    later: list[Later] = []
    for payload in payloads:
        after, _, said = payload.rpartition(":")
        if after:
            later.append(Later(int(after), None if said == EVERYTHING else frozenset(_unpacked(said))))
        elif said != EVERYTHING:
            cameras.update(_unpacked(said))
    return Announced(frozenset(cameras), tuple(later), EVERYTHING in payloads)


def _unpacked(packed: str) -> Iterable[UUID]:
    ids = b64decode(packed)
    return (UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids), 16))


class Listener:
    """A connection of its own that hears what is announced; it is not of the pool, which it would keep short."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection
        self._payloads: list[str] = []
        connection.add_notify_handler(lambda notice: self._payloads.append(notice.payload))

    @classmethod
    async def open(cls, database: Database) -> Self:
        """Listen from now on. Raises what PostgreSQL raises."""
        connection = await database.connect_alone()
        listener = cls(connection)
        try:
            await connection.execute(f"listen {CHANNEL}")
        except BaseException:
            await connection.close()
            raise
        return listener

    async def read(self) -> Announced:
        """Read what was announced since the last time. Raises what PostgreSQL raises: then some may be missed."""
        await self._connection.execute("select 1")
        payloads, self._payloads = self._payloads, []
        return read_payloads(payloads)

    async def close(self) -> None:
        """Close the connection. It waits for nothing, so that a cancellation cannot leave it open."""
        await self._connection.close()

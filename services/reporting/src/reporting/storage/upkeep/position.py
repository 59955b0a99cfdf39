"""How far each stream is in these tables, kept with them: a database that went back knows it by this."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from reporting.storage.tables import bus_position
from reporting.storage.upkeep import reading
from vonggac.database import Database

_KEEP = text(
    """
    insert into bus_position (stream, floor, reached, stream_created_at) values (:stream, :floor, :reached, :created)
    on conflict (stream) do update set
        floor = case when bus_position.stream_created_at = excluded.stream_created_at and not :went_back
                     then greatest(bus_position.floor, excluded.floor) else excluded.floor end,
        reached = case when bus_position.stream_created_at = excluded.stream_created_at and not :went_back
                       then greatest(bus_position.reached, excluded.reached) else excluded.reached end,
        stream_created_at = excluded.stream_created_at
    """
)


@dataclass(frozen=True, slots=True)
class Position:
    """Everything up to `floor` is in the tables, and of what is up to `reached` all that does not wait.

    None: a release that kept no such position had handled it.
    """

    floor: int | None
    reached: int | None
    stream_created_at: datetime | None


class Positions:
    """The table `bus_position`. Every method raises what PostgreSQL raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, stream: str) -> Position | None:
        """None when these tables have handled nothing of the stream."""
        query = select(bus_position).where(bus_position.c.stream == stream)
        async with self._database.transaction() as session:
            row = (await session.execute(query)).one_or_none()
        return None if row is None else Position(row.floor, row.reached, row.stream_created_at)

    async def keep(self, stream: str, floor: int, reached: int, created: datetime, *, went_back: bool = False) -> None:
        """Move it forward; back only when the stream itself `went_back` or was made anew."""
        given = {"stream": stream, "floor": floor, "reached": reached, "created": created, "went_back": went_back}
        async with self._database.transaction() as session:
            await session.execute(_KEEP, given)

    async def note_register_read(self, at: datetime) -> None:
        """Note that at `at` all that the stream INVENTORY had was in these tables."""
        async with self._database.transaction() as session:
            await reading.note(session, at)

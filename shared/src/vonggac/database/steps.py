"""The parts of a revision that would hold a table for long: each is a transaction of its own, or runs in none.

A revision that is killed goes on where it was: which steps are done, and how far a batch came, stands in the table
`migration_step` until all are whole. A step that a lock keeps waiting fails, and who runs the migrations tries again.
"""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Protocol

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

STEP_TABLE = "migration_step"
BUILD_LOCK_TIMEOUT = "5min"
"""An index that is built concurrently waits for older transactions, and nobody waits behind it."""
LOCK_TIMEOUT = "600ms"
"""Who wants a table meanwhile waits behind a migration that waits for it: so it gives up, and comes again."""
FIRST_ROWS = 200
FEWEST_ROWS = 100
"""With fewer, a batch is made of what it costs whatever it has: one that began with fewer grows."""
MOST_ROWS = 5000
MOST_ROUNDS = 100
BATCH_S = 0.2
"""What a batch is to take, in seconds."""

_CREATE = f"""
create table if not exists {STEP_TABLE} (
  revision text not null, step text not null, position text, done boolean not null,
  constraint pk_{STEP_TABLE} primary key (revision, step)
)
"""
_READ = text(f"select position, done from {STEP_TABLE} where revision = :revision and step = :step")  # noqa: S608 # a name of ours
_NOTE = text(
    f"insert into {STEP_TABLE} (revision, step, position, done) "  # noqa: S608 # a name of ours
    "values (:revision, :step, :position, :done) "
    "on conflict (revision, step) do update set position = excluded.position, done = excluded.done"
)
_TYPE = text(
    "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = to_regclass(:table) and attname = :key"
)
_IS_VALID = text("select indisvalid from pg_index where indexrelid = to_regclass(:name)")


class Op(Protocol):
    """The part of `alembic.op` that steps need."""

    def execute(self, sqltext: str) -> None: ...
    def get_bind(self) -> Connection: ...
    def get_context(self) -> MigrationContext: ...


def next_rows(rows: int, took_s: float) -> int:
    """How many rows the next batch has, after one of `rows` took so long."""
    wanted = rows * BATCH_S / max(took_s, 0.001)
    return round(min(MOST_ROWS, max(min(rows, FEWEST_ROWS), rows / 4, min(wanted, rows * 2))))


class Steps:
    """The steps of one revision, in the order in which its `upgrade` names them."""

    def __init__(self, op: Op, revision: str) -> None:
        self._op = op
        self._revision = revision
        # Nobody waits there, and each revision is one transaction.
        self._at_once = bool(op.get_context().opts.get("empty_database"))
        if not self._at_once:
            op.execute(_CREATE)
            self._commit()

    def run(self, name: str, action: Callable[[], object]) -> None:
        """Run `action` and commit it; nothing where that was done before."""
        if self._read(name)[1]:
            return
        action()
        self._note(name, None, done=True)
        self._commit()

    def run_in_batches(
        self,
        name: str,
        change: str | Callable[[Sequence[Any]], object],
        *,
        table: str,
        key: str = "id",
        where: str = "true",
        rows: int = FIRST_ROWS,
    ) -> None:
        """Change the rows of `table` by its `key`, a batch after the other, each committed with how far it came.

        `change`: SQL with the keys as `:ids`, or a function of them. An index of `table` begins with `key`. `where`: of
        which rows; one that was changed may leave it.
        """
        position, done = self._read(name)
        while not done:
            began = monotonic()
            ids = self._next_ids(table, key, where, position, rows)
            if ids and isinstance(change, str):
                self._op.get_bind().execute(text(change), {"ids": ids})
            elif ids and callable(change):
                change(ids)
            done = len(ids) < rows
            position = str(ids[-1]) if ids else position
            self._note(name, position, done=done)
            self._commit()
            rows = next_rows(rows, monotonic() - began)

    def catch_up(self, last: str, find: Callable[[], Sequence[Any]], change: Callable[[Sequence[Any]], object]) -> None:
        """Change what others wrote meanwhile, in batches, until the step `last` has little left to do under a lock."""
        if self._read(last)[1]:
            return
        for _ in range(MOST_ROUNDS):
            ids = find()
            if len(ids) <= FEWEST_ROWS // 5:
                return
            for start in range(0, len(ids), FEWEST_ROWS):
                change(ids[start : start + FEWEST_ROWS])
                self._commit()

    def create_index(self, name: str, table: str, definition: str, *, unique: bool = False) -> None:
        """Build an index while others write; one that a killed migration left half-built is made again.

        `definition`: what SQL has after the table, such as `(ends_at) where state = 'stopped'`.
        """
        kind = "unique index" if unique else "index"
        if self._at_once:
            self._op.execute(f"create {kind} {name} on {table} {definition}")
            return
        # A later step may have made a key of it, under another name.
        if self._read(f"index {name}")[1]:
            return
        valid = self._op.get_bind().execute(_IS_VALID, {"name": name}).scalar()
        with self._op.get_context().autocommit_block():
            self._op.execute(f"set lock_timeout = '{BUILD_LOCK_TIMEOUT}'")
            if valid is False:
                self._op.execute(f"drop index concurrently if exists {name}")
            self._op.execute(f"create {kind} concurrently if not exists {name} on {table} {definition}")
            self._op.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")
        self._note(f"index {name}", None, done=True)
        self._commit()

    def drop_index(self, name: str) -> None:
        """Drop an index while others read its table."""
        if self._at_once:
            self._op.execute(f"drop index {name}")
            return
        with self._op.get_context().autocommit_block():
            self._op.execute(f"set lock_timeout = '{BUILD_LOCK_TIMEOUT}'")
            self._op.execute(f"drop index concurrently if exists {name}")
            self._op.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")

    def add_constraint(self, table: str, name: str, definition: str) -> None:
        """Add a check or a foreign key that holds for what is written from now on, then check what is there."""
        self.run(
            f"add {name}", lambda: self._op.execute(f"alter table {table} add constraint {name} {definition} not valid")
        )
        self.run(f"validate {name}", lambda: self._op.execute(f"alter table {table} validate constraint {name}"))

    def _next_ids(self, table: str, key: str, where: str, position: str | None, rows: int) -> list[Any]:
        connection = self._op.get_bind()
        after = "true"
        if position is not None:
            kind = connection.execute(_TYPE, {"table": table, "key": key}).scalar_one()
            after = f"{key} > cast(:position as {kind})"
        query = f"select distinct {key} from {table} where ({where}) and {after} order by {key} limit :rows"  # noqa: S608 # names of ours
        found = connection.execute(text(query), {"rows": rows} | ({} if position is None else {"position": position}))
        return list(found.scalars())

    def _read(self, name: str) -> tuple[str | None, bool]:
        if self._at_once:
            return None, False
        row = self._op.get_bind().execute(_READ, {"revision": self._revision, "step": name}).one_or_none()
        return (None, False) if row is None else (row.position, row.done)

    def _note(self, name: str, position: str | None, *, done: bool) -> None:
        if not self._at_once:
            values = {"revision": self._revision, "step": name, "position": position, "done": done}
            self._op.get_bind().execute(_NOTE, values)

    def _commit(self) -> None:
        """Commit what is open and begin the next transaction: alembic does so around a block without one."""
        if self._at_once:
            return
        with self._op.get_context().autocommit_block():
            pass

"""Signs of life as intervals; observations say since when their worker is awake."""

import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0003"
down_revision = "0002"
lowest_compatible = "0003"
branch_labels = None
depends_on = None

_SHORT = struct.Struct("<qqBB")
_LONG = struct.Struct("<qqqBB")


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("lives", _create_lives)
    steps.run_in_batches("tails", _lengthen, table="camera_state", key="camera_id")
    op.alter_column("camera_state", "tail", comment="The newest observations, 26 bytes each")


def _create_lives() -> None:
    op.create_table(
        "worker_life",
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('prober', 'forwarder', 'probing')", name=op.f("ck_worker_life_kind")),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_worker_life_ordered")),
        sa.PrimaryKeyConstraint("worker_id", "started_at", name=op.f("pk_worker_life")),
        comment="When each worker, and any prober (probing), watched without a hole",
    )
    op.create_index("ix_worker_life_ended_at", "worker_life", ["ended_at"], unique=False)
    # Holes of the time before were not kept: each worker is taken to have watched from its first word to its last.
    op.execute(
        "insert into worker_life (worker_id, started_at, ended_at, kind) "
        "select worker.id, least(worker.last_alive_at, said.since), worker.last_alive_at, 'forwarder' from worker "
        "left join lateral (select min(observed_at) as since from delivery_change where worker_id = worker.id) as said "
        "on true where worker.kind = 'forwarder'"
    )
    op.execute(
        "insert into worker_life (worker_id, started_at, ended_at, kind) "
        "select id, least(last_alive_at, (select min(started_at) from camera_run), "
        "(select min(started_at) from camera_state)), last_alive_at, 'prober' from worker where kind = 'prober'"
    )
    op.execute(
        "insert into worker_life (worker_id, started_at, ended_at, kind) "
        "select '*', lower(life), upper(life), 'probing' from unnest("
        "(select range_agg(tstzrange(started_at, ended_at, '[]')) from worker_life where kind = 'prober')) as life"
    )
    op.drop_table("worker")


def downgrade() -> None:
    op.create_table(
        "worker",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last_alive_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('prober', 'forwarder')", name=op.f("ck_worker_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.execute(
        "insert into worker select worker_id, min(kind), max(ended_at) from worker_life "
        "where kind <> 'probing' group by worker_id"
    )
    op.drop_table("worker_life")
    ids = list(op.get_bind().execute(sa.text("select camera_id from camera_state")).scalars())
    _repack(_LONG, _SHORT, lambda record: (record[0], record[1], record[3], record[4]), ids)
    op.alter_column("camera_state", "tail", comment="The newest observations, 18 bytes each")


def _repack(before: struct.Struct, after: struct.Struct, change: Callable[..., Any], ids: Sequence[Any]) -> None:
    """Write the tails of these cameras in the other form."""
    connection = op.get_bind()
    read = sa.text("select camera_id, tail from camera_state where camera_id = any(:ids) for update")
    write = sa.text("update camera_state set tail = :tail where camera_id = :id")
    tails = [
        {"id": row[0], "tail": b"".join(after.pack(*change(record)) for record in before.iter_unpack(row[1]))}
        for row in connection.execute(read, {"ids": ids}).all()
    ]
    if tails:
        connection.execute(write, tails)


_lengthen = partial(_repack, _SHORT, _LONG, lambda record: (record[0], record[1], 0, record[2], record[3]))

"""The ledger of cameras and deliveries, targets of availability, and what a delivery or camera is flagged with.

The register is read anew, for the flags that earlier releases did not keep.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from vonggac.database.steps import Steps

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CAMERA_SUMS = (
    "up", "down", "maintenance", "unknown", "out_of_scope", "compliant", "non_compliant", "compliance_unknown", "both",
    "national_only", "provincial_only", "neither", "connection_unknown",
)  # fmt: skip


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("flags", _add_flags)
    steps.run("ledger", _create_tables)
    # Handled again, an event says the same, and the flags.
    steps.run_in_batches("inbox", "delete from inbox where event_key = any(:ids)", table="inbox", key="event_key")
    # The partial index serves what asked by the end of a run. Runs of a camera are written under its lock, so that no
    # two of them overlap; to have it checked again cost a third of a run's room.
    steps.create_index("ix_camera_run_down", "camera_run", "(ends_at) where state = 'down'")
    steps.drop_index("ix_camera_run_ends_at")
    steps.run("overlap", lambda: op.drop_constraint("ex_camera_run_overlap", "camera_run"))
    steps.create_index("ix_camera_media_stopped", "camera_media", "(ends_at) where state = 'stopped'")
    steps.create_index("ix_camera_media_still", "camera_media", "(still_ends_at) where still_since is not null")
    op.execute("update bus_position set floor = 0 where stream = 'INVENTORY'")


def _create_tables() -> None:
    _create_ledger()
    _create_what_came_late()
    op.create_table(
        "availability_target",
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("percent", sa.Numeric(9, 6), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("metric in ('availability', 'compliance')", name=op.f("ck_availability_target_metric")),
        sa.CheckConstraint("percent > 0 and percent <= 100", name=op.f("ck_availability_target_percent")),
        sa.PrimaryKeyConstraint("metric", "valid_from", name=op.f("pk_availability_target")),
        comment="What share of its time a camera must be up, or comply, from a moment on",
    )


def _add_flags() -> None:
    comment = "Why another camera on record has the same device"
    op.add_column("camera", sa.Column("shared_device_reason", sa.Text(), comment=comment))
    comment = "What it runs under (R04); null: an earlier release left it out"
    op.add_column("delivery", sa.Column("plan", sa.Text(), comment=comment))
    op.add_column("delivery", sa.Column("plan_exception", sa.Text(), comment="Why it runs without an agreed plan"))


def _adds_up(table: str, *names: str) -> sa.CheckConstraint:
    parts = " + ".join(f"coalesce({name}, 0)" for name in names)
    return sa.CheckConstraint(
        f"{parts} = (day - date '2021-01-01') * 86400000::bigint", name=op.f(f"ck_{table}_adds_up")
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger_camera",
        sa.Column("camera_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="The midnight in Vietnam that begins it"),
        sa.Column(
            "kind", sa.SmallInteger(), nullable=False, comment="Of all time up to the next row: place in CAMERA_KINDS"
        ),
        *(sa.Column(name, sa.BigInteger()) for name in CAMERA_SUMS),
        sa.Column("deliveries", sa.LargeBinary(), comment="The same of each of its deliveries, packed"),
        _adds_up("ledger_camera", "up", "down", "maintenance", "unknown", "out_of_scope"),
        sa.PrimaryKeyConstraint("camera_id", "day", name=op.f("pk_ledger_camera")),
        comment="Milliseconds since the ledger's origin, null for none; a row where something changed",
    )
    op.create_table(
        "ledger_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("closed_until", sa.Date(), comment="Days before this one stand in the ledger"),
        sa.Column("closing_until", sa.Date(), comment="Evidence for days before this one is late"),
        sa.Column("written_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_state")),
    )
    op.execute("insert into ledger_state (id) values (1)")


def _create_what_came_late() -> None:
    op.create_table(
        "ledger_mark",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("camera_id", sa.Uuid(), comment="null: any camera"),
        sa.Column("day", sa.Date(), nullable=False, comment="The first day that it touches"),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_mark")),
        comment="Evidence that came after its day had been written; the ledger is written anew and the mark removed",
    )
    op.create_table(
        "late_evidence",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("camera_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False, comment="Kinds of facts that came"),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "change",
            postgresql.JSONB(),
            nullable=False,
            comment="Milliseconds that each part of the day gained or lost",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_evidence")),
        comment="Days of cameras whose figures changed after the lateness horizon",
    )
    op.create_index("ix_late_evidence_day", "late_evidence", ["day", "camera_id"])


def downgrade() -> None:
    op.drop_index("ix_camera_media_still", "camera_media")
    op.drop_index("ix_camera_media_stopped", "camera_media")
    op.drop_index("ix_camera_run_down", "camera_run")
    op.create_index("ix_camera_run_ends_at", "camera_run", ["ends_at"])
    op.execute(
        "alter table camera_run add constraint ex_camera_run_overlap "
        "exclude using gist (camera_id with =, tstzrange(started_at, ends_at) with &&)"
    )
    for table in ("availability_target", "late_evidence", "ledger_mark", "ledger_state", "ledger_camera"):
        op.drop_table(table)
    op.drop_column("delivery", "plan_exception")
    op.drop_column("delivery", "plan")
    op.drop_column("camera", "shared_device_reason")

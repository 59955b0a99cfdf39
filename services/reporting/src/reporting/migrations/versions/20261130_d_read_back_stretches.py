"""Rule 4: what read-backs prove, session by session. Time before keeps the account that it has."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def _stretch(*, nullable: bool) -> list[sa.Column[object]]:
    return [
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=nullable),
        sa.Column("kind", sa.SmallInteger(), nullable=nullable, comment="4 unreachable, 5 differs, 6 matches"),
        sa.Column("cause", sa.Text()),
        sa.Column(
            "losses_from",
            sa.DateTime(timezone=True),
            nullable=nullable,
            comment="The first picture, or the last failure",
        ),
        sa.Column(
            "firm_at", sa.DateTime(timezone=True), nullable=nullable, comment="Before, only if no read-back was lost"
        ),
        sa.Column("widest_ms", sa.BigInteger(), nullable=nullable, comment="A picture came back at least that often"),
        sa.Column("worker", sa.BigInteger(), nullable=nullable, comment="Digest of the forwarder's name"),
    ]


def upgrade() -> None:
    op.create_table(
        "delivery_session",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column(
            "begins_at",
            sa.DateTime(timezone=True),
            comment="Null, as the next ones: its read-backs prove no time yet",
        ),
        *_stretch(nullable=True),
        sa.Column("session", sa.LargeBinary(), nullable=False, comment="The session at the newest entry"),
        sa.Column("before", sa.LargeBinary(), comment="The session before the first entry of the tail, once trimmed"),
        sa.Column("tail", sa.LargeBinary(), nullable=False, comment="The newest read-backs and changes of state"),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_session")),
        comment="What read-backs prove of each delivery's present session; what is closed is in read_back_stretch",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "read_back_stretch",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        *_stretch(nullable=False),
        sa.CheckConstraint("ends_at > begins_at", name=op.f("ck_read_back_stretch_not_empty")),
        sa.PrimaryKeyConstraint("delivery_id", "begins_at", name=op.f("pk_read_back_stretch")),
        comment="When read-backs prove that a delivery was connected, or that it was not: since rule 4",
    )
    op.create_index(
        "ix_read_back_stretch_differs", "read_back_stretch", ["delivery_id"], postgresql_where=sa.text("kind = 5")
    )
    op.create_table(
        "accounting_rule",
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("holds_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_accounting_rule")),
        comment="Since when a rule counts that came after the first facts; time before is counted by the one before it",
    )
    # An empty database has no time before.
    op.execute(
        "insert into accounting_rule (version, holds_from) "
        "select 4, date_trunc('milliseconds', now()) where exists (select from delivery_change)"
    )
    op.create_table_comment(
        "read_back_state",
        "Before rule 4: the open run of each delivery's read-backs; closed ones are in read_back_run",
        existing_comment="The open run of each delivery's read-backs; closed ones are in read_back_run",
    )


def downgrade() -> None:
    op.create_table_comment(
        "read_back_state", "The open run of each delivery's read-backs; closed ones are in read_back_run"
    )
    op.drop_table("accounting_rule")
    op.drop_table("read_back_stretch")
    op.drop_table("delivery_session")

"""Read-backs as runs: when one had been tried and had failed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "read_back_state",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text()),
        sa.Column("last_observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("anchor_at", sa.DateTime(timezone=True), comment="Start of the run the tail begins in, once trimmed"),
        sa.Column("tail", sa.LargeBinary(), nullable=False, comment="The newest read-backs, 26 bytes each"),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_read_back_state")),
        comment="The open run of each delivery's read-backs; closed ones are in read_back_run",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "read_back_run",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text()),
        sa.Column("last_observed_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("delivery_id"), "="),
            (sa.text("tstzrange(started_at, ends_at)"), "&&"),
            using="gist",
            name="ex_read_back_run_overlap",
        ),
        sa.CheckConstraint("ends_at > started_at", name=op.f("ck_read_back_run_not_empty")),
        sa.PrimaryKeyConstraint("delivery_id", "started_at", name=op.f("pk_read_back_run")),
    )


def downgrade() -> None:
    op.drop_table("read_back_run")
    op.drop_table("read_back_state")

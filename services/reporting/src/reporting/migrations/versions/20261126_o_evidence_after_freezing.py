"""Marks of evidence that came after a report of its time had been frozen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "ledger_state",
        sa.Column(
            "frozen_until",
            sa.DateTime(timezone=True),
            comment="Evidence for time before it is late for a frozen report",
        ),
    )
    op.create_table(
        "report_mark",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("camera_id", sa.Uuid(), nullable=False, comment="The nil id: any camera"),
        sa.Column("day", sa.Date(), nullable=False, comment="The first day that it touches"),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="The first moment of that day that it touches",
        ),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", "day", "what", name=op.f("pk_report_mark")),
        sa.UniqueConstraint("id", name=op.f("uq_report_mark_id")),
        comment="Evidence that was stored after a report of its time had been frozen, the newest of each kind",
    )
    op.create_table(
        "report_evidence",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "seen_mark",
            sa.BigInteger(),
            nullable=False,
            comment="Marks up to this one are in its figures, or change none",
        ),
        sa.Column("camera_ids", postgresql.ARRAY(sa.Uuid()), nullable=False, comment="The cameras that it tells of"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_report_evidence")),
        sa.ForeignKeyConstraint(
            ["number"], ["frozen_report.number"], name=op.f("fk_report_evidence_number_frozen_report")
        ),
        comment="What each frozen report was made of",
    )
    op.execute("update ledger_state set frozen_until = (select max(ends_at) from frozen_report)")


def downgrade() -> None:
    op.drop_table("report_evidence")
    op.drop_table("report_mark")
    op.drop_column("ledger_state", "frozen_until")

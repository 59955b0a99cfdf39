"""Digests of the files of frozen reports that were handed out: a later release may write a form otherwise."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_file",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(sha256) = 32 and bytes > 0", name=op.f("ck_report_file_digest")),
        sa.PrimaryKeyConstraint("number", "sha256", name=op.f("pk_report_file")),
        sa.ForeignKeyConstraint(["number"], ["frozen_report.number"], name=op.f("fk_report_file_number_frozen_report")),
        comment="Files of frozen reports that were handed out",
    )
    op.execute(
        "create trigger never_changed before update or delete or truncate on report_file "
        "for each statement execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("report_file")

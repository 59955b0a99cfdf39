"""Papers that were issued: their number and day, and the signed file."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issued_paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid()),
        sa.Column("version", sa.Integer()),
        sa.Column("urge_id", sa.Uuid()),
        sa.Column("number", sa.Text(), nullable=False, comment="Number and symbol as issued"),
        sa.Column("issued_on", sa.Date(), nullable=False, comment="The day on the paper"),
        sa.Column("signed_by", sa.Text(), comment="Name and post of the signer"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.CheckConstraint("(report_id is null) = (version is null)", name=op.f("ck_issued_paper_version_of_a_report")),
        sa.CheckConstraint("(report_id is null) <> (urge_id is null)", name=op.f("ck_issued_paper_one_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_paper")),
        comment="Number and day of what was signed and sent",
    )
    op.create_index("ix_issued_paper_report_id", "issued_paper", ["report_id"])
    op.create_index("ix_issued_paper_urge_id", "issued_paper", ["urge_id"])
    op.create_table(
        "issued_file",
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.CheckConstraint("length(sha256) = 32 and bytes = length(content)", name=op.f("ck_issued_file_whole")),
        sa.ForeignKeyConstraint(["paper_id"], ["issued_paper.id"], name=op.f("fk_issued_file_paper_id_issued_paper")),
        sa.PrimaryKeyConstraint("paper_id", name=op.f("pk_issued_file")),
        comment="The signed PDF of an issued paper; nothing of ours ever opens it",
    )
    for table in ("issued_paper", "issued_file"):
        op.execute(
            f"create trigger never_changed before update or delete or truncate on {table} "
            "for each statement execute function refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("issued_file")
    op.drop_table("issued_paper")

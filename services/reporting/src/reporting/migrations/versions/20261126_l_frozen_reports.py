"""Frozen reports and their approvals: rows that no statement changes or removes."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_REFUSE = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'a row of % is never changed: freeze a further version', tg_table_name
        using errcode = 'integrity_constraint_violation';
end
$$
"""


def upgrade() -> None:
    op.create_table(
        "frozen_report",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False, comment="Place in the chain"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("previous_sha256", sa.Text(), nullable=True, comment="Of the report before in the chain"),
        sa.Column("document", sa.Text(), nullable=False, comment="The whole report as JSON, without its approval"),
        sa.CheckConstraint("number >= 1 and version >= 1", name=op.f("ck_frozen_report_positive")),
        sa.CheckConstraint("(number = 1) = (previous_sha256 is null)", name=op.f("ck_frozen_report_chained")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_frozen_report")),
        sa.UniqueConstraint("id", "version", name=op.f("uq_frozen_report_id_version")),
        sa.UniqueConstraint("sha256", name=op.f("uq_frozen_report_sha256")),
        sa.UniqueConstraint("previous_sha256", name=op.f("uq_frozen_report_previous_sha256")),
        comment="Every version of every frozen report",
    )
    op.create_table(
        "report_approval",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_report_approval")),
        sa.ForeignKeyConstraint(
            ["number"], ["frozen_report.number"], name=op.f("fk_report_approval_number_frozen_report")
        ),
        comment="Who approved a frozen report, and when",
    )
    op.execute(_REFUSE)
    for table in ("frozen_report", "report_approval"):
        op.execute(
            f"create trigger never_changed before update or delete or truncate on {table} "
            "for each statement execute function refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("report_approval")
    op.drop_table("frozen_report")
    op.execute("drop function refuse_change()")

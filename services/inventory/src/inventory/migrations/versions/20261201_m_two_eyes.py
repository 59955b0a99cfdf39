"""Rules by which who wrote may approve, and each approval by who wrote."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from inventory.migrations.history import add_history, drop_history

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_RULES, _APPROVALS = "approval_rules", "self_approvals"


def _thing() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        _RULES,
        *_thing(),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("two_persons", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approval_rules"),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_approval_rules_unit_id_units"),
        ExcludeConstraint(
            (sa.column("unit_id"), "="),
            (sa.text("daterange(valid_from, valid_to, '[]')"), "&&"),
            name="ex_approval_rules_unit_id",
        ),
    )
    op.create_index("ix_approval_rules_unit_id", _RULES, ["unit_id"])
    op.create_table(
        _APPROVALS,
        *_thing(),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_to", sa.Date()),
        sa.Column("about_noun", sa.Text(), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("facility_id", sa.Uuid()),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_self_approvals"),
    )
    for column in ("about_id", "facility_id"):
        op.create_index(f"ix_self_approvals_{column}", _APPROVALS, [column])
    for table in (_RULES, _APPROVALS):
        add_history(op, table)


def downgrade() -> None:
    for table in (_APPROVALS, _RULES):
        drop_history(op, table)
        op.drop_table(table)

"""Reports that are frozen by themselves: regimes, the report of each cut-off, what of it is sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)


def _text(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def upgrade() -> None:
    _add_regimes()
    op.create_table(
        "regime_report",
        sa.Column("regime_id", sa.Uuid(), primary_key=True),
        sa.Column("cut_off_at", sa.DateTime(timezone=True), primary_key=True),
        _time("starts_at"),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("compared_with", sa.Uuid(), comment="The last report of the regime; null: it is the first"),
        sa.Column("late", sa.Boolean(), nullable=False, comment="Frozen later than it could have been"),
        _time("frozen_at"),
        sa.UniqueConstraint("report_id", name=op.f("uq_regime_report_report_id")),
        comment="The report of each cut-off of a regime",
    )
    op.create_table(
        "regime_sending",
        sa.Column("report_id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("purpose", sa.Text(), primary_key=True),
        sa.Column("channel_id", sa.Uuid(), primary_key=True),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        _text("channel_name"),
        _text("channel_kind"),
        _text("state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _time("next_attempt_at"),
        _text("outcome", nullable=True),
        _time("sent_at", nullable=True),
        sa.CheckConstraint("purpose in ('approval', 'copy')", name=op.f("ck_regime_sending_purpose")),
        sa.CheckConstraint("state in ('pending', 'sent', 'failed')", name=op.f("ck_regime_sending_state")),
        comment="What of a regime's report goes out through the channels of agencies",
    )
    op.create_index(
        "ix_regime_sending_due", "regime_sending", ["next_attempt_at"], postgresql_where=sa.text("state = 'pending'")
    )


def _add_regimes() -> None:
    op.create_table(
        "report_regime",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        _text("name"),
        _text("rhythm"),
        sa.Column("cut_off_day", sa.SmallInteger(), nullable=False),
        sa.Column("every_days", sa.SmallInteger(), comment="Of the rhythm days"),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date()),
        _text("unit", nullable=True, comment="What narrows its reports: codes or ids, as they were given"),
        _text("agency", nullable=True),
        _text("type", nullable=True),
        _text("facility", nullable=True),
        sa.Column("directive_id", sa.Uuid(), comment="Whose letterhead its papers have; null: of the main one"),
        sa.Column("letterhead", postgresql.JSONB(), nullable=False, comment="What stands above the directive's"),
        sa.Column("approver_agency_id", sa.Uuid(), comment="Before whom its reports are laid"),
        sa.Column(
            "recipient_agency_ids", sa.ARRAY(sa.Uuid()), nullable=False, comment="To whom they are sent once approved"
        ),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _time("counts_from", comment="Cut-offs after it are frozen"),
        _text("problem", nullable=True, comment="Why its report could not be frozen"),
        _time("created_at"),
        _text("created_by"),
        _time("changed_at"),
        _text("changed_by"),
        sa.CheckConstraint("(rhythm = 'days') = (every_days is not null)", name=op.f("ck_report_regime_every_days")),
        sa.CheckConstraint("cut_off_day between 1 and 28", name=op.f("ck_report_regime_cut_off_day")),
        comment="Which reports are frozen by themselves, when, before whom they are laid and to whom they go",
    )


def downgrade() -> None:
    for table in ("regime_sending", "regime_report", "report_regime"):
        op.drop_table(table)

"""A frozen report is flagged by evidence until the cut-off of its register, and not of its period alone."""

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# A further version has the register of the first one's cut-off; before rule 3 there was none.
_COVERED = """
    update report_evidence as of_it set covers_until = greatest(known.ends_at, (
        select to_timestamp((document::jsonb -> 'header' ->> 'cut_off_ms')::bigint / 1000.0) from frozen_report as first
        where first.id = known.id and first.version = 1 and document::jsonb -> 'header' ->> 'rule_version' = '3'
    )) from frozen_report as known where known.number = of_it.number and of_it.number = any(:ids)
"""


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("column", _add_column)
    steps.run_in_batches("reports", _COVERED, table="report_evidence", key="number", rows=1)
    newest = "(select max(covers_until) from report_evidence)"
    op.execute(f"update ledger_state set frozen_until = greatest(frozen_until, {newest})")  # noqa: S608 - of our own


def _add_column() -> None:
    op.add_column(
        "report_evidence",
        sa.Column(
            "covers_until",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default="epoch",
            comment="Evidence for time before it may change it: the end of its period, or the cut-off of its register",
        ),
    )


def downgrade() -> None:
    op.drop_column("report_evidence", "covers_until")

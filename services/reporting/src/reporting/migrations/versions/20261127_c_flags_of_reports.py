"""Which flags of frozen reports were published."""

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("mark", _add_mark)
    steps.create_index("ix_report_mark_noticed_at", "report_mark", "(noticed_at)")


def _add_mark() -> None:
    op.add_column(
        "report_evidence",
        sa.Column(
            "published_mark",
            sa.BigInteger(),
            comment="The seen_mark for which its flag was published; null: none was",
        ),
    )


def downgrade() -> None:
    op.drop_index("ix_report_mark_noticed_at", "report_mark")
    op.drop_column("report_evidence", "published_mark")

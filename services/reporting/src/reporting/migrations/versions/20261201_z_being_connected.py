"""Rule 6: a wrong login or a frozen picture of a camera that was being connected. Time before keeps its account."""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # An empty database has no time before.
    op.execute(
        "insert into accounting_rule (version, holds_from) "
        "select 6, date_trunc('milliseconds', now()) where exists (select from delivery)"
    )


def downgrade() -> None:
    op.execute("delete from accounting_rule where version = 6")

"""Maintenance that was declared, and that nobody has agreed to: it is shown apart and counts as none."""

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("columns", _add_columns)
    rule = "check (not agreed or starts_at > created_at)"
    steps.add_constraint("maintenance_window", "ck_maintenance_window_agreed_before_it_began", rule)
    op.execute("alter table maintenance_window drop constraint ck_maintenance_window_agreed_beforehand")


def _add_columns() -> None:
    op.add_column("maintenance_window", sa.Column("agreed", sa.Boolean(), nullable=False, server_default="true"))
    op.add_column("maintenance_window", sa.Column("declared_by", sa.Text()))
    op.alter_column("maintenance_window", "approved_by", nullable=True)


def downgrade() -> None:
    op.execute("delete from maintenance_window where not agreed")
    op.execute("alter table maintenance_window drop constraint ck_maintenance_window_agreed_before_it_began")
    op.create_check_constraint("agreed_beforehand", "maintenance_window", "starts_at > created_at")
    op.alter_column("maintenance_window", "approved_by", nullable=False)
    op.drop_column("maintenance_window", "declared_by")
    op.drop_column("maintenance_window", "agreed")

"""Name and post of who froze or approved a report, as they were then."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

COLUMNS = {
    "frozen_report": ("author_name", "author_post"),
    "report_approval": ("approver_name", "approver_post"),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            what = "Full name" if column.endswith("name") else "Post"
            comment = f"{what} as it was then; null: not known"
            op.add_column(table, sa.Column(column, sa.Text(), nullable=True, comment=comment))


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column)

"""An outbox row knows when its change was written by a clock that nobody sets: readers learn how long it waited."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("written_boot", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("written_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("outbox", "written_ms")
    op.drop_column("outbox", "written_boot")

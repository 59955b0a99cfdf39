"""When the register was read without a hole, and from when on revisions of a thing are missing.

What an earlier release stored has no `read_until`: what it accounted stays as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_DATED = ("facility", "destination", "camera")
_COLUMNS = {
    "read_until": "Until when the register had been read when this revision came; null: an earlier release kept it",
    "unknown_from": "From then to valid_to revisions are missing: what held is not known; null: none is",
}


def upgrade() -> None:
    op.create_table(
        "register_reading",
        sa.Column("started_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        comment="When all that the stream INVENTORY had was in these tables",
    )
    # While facts came in, the register did.
    op.execute(
        "insert into register_reading (started_at, ended_at) "
        "select max(ended_at), max(ended_at) from worker_life having max(ended_at) is not null"
    )
    for table in _DATED:
        for name, comment in _COLUMNS.items():
            op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), comment=comment))


def downgrade() -> None:
    for table in _DATED:
        for name in _COLUMNS:
            op.drop_column(table, name)
    op.drop_table("register_reading")

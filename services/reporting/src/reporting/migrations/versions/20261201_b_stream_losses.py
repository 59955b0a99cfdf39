"""Streams that were gone, emptied or set back, as their owner found them."""

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    Steps(op, revision).run("table", _add_table)


def _add_table() -> None:
    op.create_table(
        "stream_loss",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False, comment="Empty: the stream itself"),
        sa.Column("kind", sa.Text(), nullable=False, comment="gone, emptied or went_back"),
        sa.Column(
            "lost_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="What was stored since may be lost",
        ),
        sa.Column("lost_until", sa.DateTime(timezone=True), nullable=False, comment="When it stood again"),
        sa.Column("messages", sa.BigInteger(), comment="So many it held when it was last seen"),
        sa.Column("unread", sa.BigInteger(), comment="So many of them were not in these tables by then"),
        sa.Column("filled_with", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "consumer", "lost_until", name=op.f("pk_stream_loss")),
        comment="A stream, bucket or consumer that was gone, emptied or set back",
    )


def downgrade() -> None:
    op.drop_table("stream_loss")

"""How far a stream was given to be handled: what came after an event that waits is in the tables too."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "bus_position",
        sa.Column(
            "reached",
            sa.BigInteger(),
            nullable=True,
            comment="The consumer had been given all up to here; null: not known yet",
        ),
    )
    op.execute("update bus_position set reached = floor")


def downgrade() -> None:
    op.drop_column("bus_position", "reached")

"""Where a facility is, as the register writes it: a frozen report names it."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "facility",
        sa.Column(
            "address",
            sa.Text(),
            nullable=True,
            comment="As the register wrote it; null: none, of a restricted one, or never heard of",
        ),
    )


def downgrade() -> None:
    op.drop_column("facility", "address")

"""Why a centre that pulls is refused, beside each change of its delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "delivery_change",
        sa.Column(
            "refused_for",
            sa.Text(),
            nullable=True,
            comment="Why a centre that pulls is refused; null: it is not, or nobody said",
        ),
    )


def downgrade() -> None:
    op.drop_column("delivery_change", "refused_for")

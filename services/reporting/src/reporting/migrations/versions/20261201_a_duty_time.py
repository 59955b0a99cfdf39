"""The founding day of facilities and the installation day of cameras: which duties there are, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    founded = "Day of the decision that founds it, else its first day in force"
    op.add_column("facility", sa.Column("founded_on", sa.Date(), comment=founded))
    installed = "First day on which it is in force; null: as long as it is on record"
    op.add_column("camera", sa.Column("installed_on", sa.Date(), comment=installed))


def downgrade() -> None:
    op.drop_column("camera", "installed_on")
    op.drop_column("facility", "founded_on")

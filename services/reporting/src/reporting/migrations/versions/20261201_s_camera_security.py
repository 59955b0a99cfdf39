"""What probes observed of each camera's security."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "camera_security",
        sa.Column("camera_id", sa.Uuid(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False, comment="login_scheme, device_asks_login or firmware"),
        sa.Column("began_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="The first probe that saw it"),
        sa.Column("last_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="The last one, to six hours"),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", "sign", "began_at", name=op.f("pk_camera_security")),
        comment="What was observed of each camera's security; a row where it changed",
    )


def downgrade() -> None:
    op.drop_table("camera_security")

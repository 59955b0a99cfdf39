"""What people say of cameras that show a recording in a loop: disputed, and what was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "repetition_dispute",
        sa.Column("camera_id", sa.Uuid(), nullable=False),
        sa.Column("disputed_at", time, nullable=False),
        sa.Column("decided_at", time, comment="Null: nobody has decided yet"),
        sa.Column("confirmed", sa.Boolean(), comment="Of one that was decided: the finding stands; else it is off"),
        sa.Column("ended_at", time, comment="The first new keyframe; null: none has come"),
        sa.PrimaryKeyConstraint("camera_id", "disputed_at", name=op.f("pk_repetition_dispute")),
        comment="What people said of cameras that show a recording in a loop",
    )


def downgrade() -> None:
    op.drop_table("repetition_dispute")

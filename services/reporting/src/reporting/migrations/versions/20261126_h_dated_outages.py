"""Deliveries dated to the last media that was confirmed; what forwarders reported of cameras' media."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "delivery_change",
        sa.Column(
            "begins_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the state began; null: when it was seen, observed_at",
        ),
    )
    op.add_column(
        "delivery_change",
        sa.Column(
            "acknowledged_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The last media that the destination had confirmed",
        ),
    )
    op.add_column(
        "delivery_change",
        sa.Column(
            "first_changed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Of several changes in one report: the first",
        ),
    )
    _create_camera_media()


def _create_camera_media() -> None:
    op.create_table(
        "camera_media",
        sa.Column("camera_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("dated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "stopped_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The last media before it stopped; null: never any",
        ),
        sa.Column("still_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("still_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "begins_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="dated_at where the state changed, observed_at elsewhere",
        ),
        sa.Column(
            "ends_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The same worker's next report; null while there is none",
        ),
        sa.Column(
            "still_ends_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="As still_until, or as its next report has it",
        ),
        sa.PrimaryKeyConstraint("camera_id", "worker_id", "sequence", name=op.f("pk_camera_media")),
        comment="What forwarders reported of each camera's media",
    )


def downgrade() -> None:
    op.drop_table("camera_media")
    for column in ("first_changed_at", "acknowledged_at", "begins_at"):
        op.drop_column("delivery_change", column)

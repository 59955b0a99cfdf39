"""The register of the mandate, dated; what format each camera was seen to send.

What reporting had passed by until now is read again from the stream, as far as the stream still has it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "register_record",
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=True, comment="The facility that it is of, where it is of one"),
        sa.Column(
            "state",
            postgresql.JSONB(),
            nullable=True,
            comment="As the register published it, without people; null: removed",
        ),
        sa.Column("removed", sa.Boolean(), nullable=False, comment="The thing is gone from then on"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "valid_to",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="The next revision's change; null while there is none",
        ),
        sa.PrimaryKeyConstraint("noun", "id", "revision", name=op.f("pk_register_record")),
        comment="What the register says of the mandate: a row per revision, valid in [valid_from, valid_to)",
    )
    op.create_index(op.f("ix_register_record_facility_id"), "register_record", ["facility_id"])
    op.create_index("ix_register_record_valid_from", "register_record", ["noun", "valid_from"])
    _create_camera_format()
    op.execute("update bus_position set floor = 0 where stream = 'INVENTORY'")


def _create_camera_format() -> None:
    op.create_table(
        "camera_format",
        sa.Column("camera_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False, comment="The first probe that saw it"),
        sa.Column(
            "last_at", sa.DateTime(timezone=True), nullable=False, comment="The last probe that saw it, to 5 minutes"
        ),
        sa.Column("codec", sa.Text(), nullable=True),
        sa.Column("profile", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("fps", sa.Double(), nullable=True),
        sa.Column("bitrate_kbps", sa.Double(), nullable=True),
        sa.Column("transport", sa.Text(), nullable=True, comment="tcp or udp"),
        sa.PrimaryKeyConstraint("camera_id", "began_at", name=op.f("pk_camera_format")),
        comment="What each camera was seen to send; a row where it changed",
    )


def downgrade() -> None:
    op.drop_table("camera_format")
    op.drop_table("register_record")

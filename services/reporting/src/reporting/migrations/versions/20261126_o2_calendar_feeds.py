"""Calendar feeds with passwords of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), comment="Codes or ids that narrow it, as they were given"),
        sa.Column("agency", sa.Text()),
        sa.Column("type", sa.Text()),
        sa.Column("facility", sa.Text()),
        sa.Column("restricted", sa.Boolean(), nullable=False, comment="Whether restricted facilities are in it"),
        sa.Column(
            "password_sha256", sa.LargeBinary(), nullable=False, comment="Of 32 random bytes: nobody guesses them"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_by", sa.Text()),
        sa.Column("last_read_at", sa.DateTime(timezone=True), comment="To the hour"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        comment="Who reads the deadlines as a calendar, with a password instead of a token",
    )


def downgrade() -> None:
    op.drop_table("calendar_feed")

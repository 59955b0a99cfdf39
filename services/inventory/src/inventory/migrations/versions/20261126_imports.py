"""Imports are listed, and can be taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("file_name", sa.Text()),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("began_at", instant, nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.Column("finished_at", instant),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("stop_wanted", sa.Boolean(), nullable=False),
        sa.Column("problem", postgresql.JSONB(none_as_null=True)),
        sa.Column("result", postgresql.JSONB(none_as_null=True)),
        sa.Column("reverted_at", instant),
        sa.Column("reverted_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_began_at_id", "imports", ["began_at", "id"])


def downgrade() -> None:
    op.drop_table("imports")

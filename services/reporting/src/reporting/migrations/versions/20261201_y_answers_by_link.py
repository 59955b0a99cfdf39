"""Links of facilities, and whose word an answer is that a facility gave."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "facility_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), comment="null: all that is known is that it was removed"),
        sa.Column("token_sha256", sa.LargeBinary(), comment="Of 32 random bytes: nobody guesses them"),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True), comment="Or removed; it stays so"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility_link")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_facility_link_token_sha256")),
        comment="Tokens by which facilities answer urges, as digests",
    )
    op.add_column("urge_answer", sa.Column("facility_id", sa.Uuid(), comment="The facility that answers by its link"))
    op.add_column("urge_answer", sa.Column("facility_name", sa.Text(), comment="As it was called in what was urged"))


def downgrade() -> None:
    op.drop_column("urge_answer", "facility_name")
    op.drop_column("urge_answer", "facility_id")
    op.drop_table("facility_link")

"""Whose word an answer is, on which document, and why somebody urges by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "urge",
        sa.Column("reason", sa.Text(), comment="Why somebody urged by hand; of rules, and of earlier releases, none"),
    )
    op.add_column(
        "urge_answer",
        sa.Column(
            "own_word", sa.Boolean(), nullable=False, server_default="false", comment="Given by the party's own token"
        ),
    )
    op.add_column("urge_answer", sa.Column("document_day", sa.Date(), comment="Day on that letter"))
    op.add_column("urge_answer", sa.Column("document_file", sa.Text(), comment="Where the signed letter is kept"))


def downgrade() -> None:
    for column in ("own_word", "document_day", "document_file"):
        op.drop_column("urge_answer", column)
    op.drop_column("urge", "reason")

"""Whom to trust over TLS, enhanced RTMP, and where centres play streams back.

A destination that demanded `verified` before now has no read-back address: nothing is proven there until it gets one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DESTINATION = (
    "tls",
    "enhanced_rtmp",
    "read_back_url_template",
    "sealed_read_back_secret",
    "read_back_secret_changed_at",
)


def upgrade() -> None:
    op.add_column("cameras", sa.Column("tls", postgresql.JSONB(none_as_null=True)))
    op.add_column("destinations", sa.Column("tls", postgresql.JSONB(none_as_null=True)))
    op.add_column("destinations", sa.Column("enhanced_rtmp", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("destinations", "enhanced_rtmp", server_default=None)
    op.add_column("destinations", sa.Column("read_back_url_template", sa.Text()))
    op.add_column("destinations", sa.Column("sealed_read_back_secret", sa.Text()))
    op.add_column("destinations", sa.Column("read_back_secret_changed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("cameras", "tls")
    for column in reversed(_DESTINATION):
        op.drop_column("destinations", column)

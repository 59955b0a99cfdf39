"""Links of facilities are published: those that are there once."""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("insert into republish_wanted (noun) values ('facility_link') on conflict do nothing")


def downgrade() -> None:
    op.execute("delete from republish_wanted where noun = 'facility_link'")

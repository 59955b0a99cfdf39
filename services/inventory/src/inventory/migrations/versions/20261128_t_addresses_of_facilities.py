"""Facilities are published once more: their messages have the address now, which a frozen report names."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_WANTED = """
insert into republish_wanted (noun) select 'facility' where exists (select from facilities where address is not null)
on conflict do nothing
"""


def upgrade() -> None:
    op.execute(_WANTED)


def downgrade() -> None:
    """Leave what was published: an older reporting reads past the address."""

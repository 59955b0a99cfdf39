"""Units that revision 0014 left out, since their codes were alike before, keep the rule of before it.

On one day one unit of a level has a code. Where codes are not alike, the constraint on folded codes says that already.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ARE_ALIKE = """
select exists (
  select from units a join units b on a.id <> b.id and folded_code(a.code) = folded_code(b.code) and a.level = b.level
    and daterange(a.valid_from, a.valid_to, '[]') && daterange(b.valid_from, b.valid_to, '[]')
)
"""
_SAME_CODE = """
alter table units add constraint ex_units_same_code exclude using gist
  (code with =, level with =, daterange(valid_from, valid_to, '[]') with &&)
"""


def upgrade() -> None:
    if op.get_bind().exec_driver_sql(_ARE_ALIKE).scalar():
        op.execute(_SAME_CODE)


def downgrade() -> None:
    op.execute("alter table units drop constraint if exists ex_units_same_code")

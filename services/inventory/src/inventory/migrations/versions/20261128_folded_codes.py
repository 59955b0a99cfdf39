"""Codes are unique without their case and padding: `KCL-01` and `kcl-1` are one code.

Records that broke the rule before it came stay as they are: of those alike the oldest has the place, and the indexes
leave the others out by their ids. Nothing that is written from then on may be like any of them (the service asks), and
`docs/operations/upgrade.md` says how to find them.
"""

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FOLDED_CODE = """
create function folded_code(code text) returns text immutable parallel safe language sql as $$
  select regexp_replace(lower(code collate "C"), '(?<![0-9])0+(?=[0-9])', '', 'g')
$$
"""
_CODED = (
    "agencies", "cameras", "destinations", "directives", "facilities", "information_requests",
    "installation_proposals", "obligations", "recorders", "surveys", "teams",
)  # fmt: skip
_ALIKE = """
select id from (
  select id, row_number() over (partition by folded_code(code) order by created_at, id) as place from {table}
) as ordered where place > 1 order by id
"""
_ALIKE_UNITS = """
select distinct later.id from units later join units earlier on folded_code(earlier.code) = folded_code(later.code)
  and earlier.level = later.level and (earlier.created_at, earlier.id) < (later.created_at, later.id)
  and daterange(earlier.valid_from, earlier.valid_to, '[]') && daterange(later.valid_from, later.valid_to, '[]')
"""
_UNITS = """
alter table units add constraint ex_units_code exclude using gist
  ({code} with =, level with =, daterange(valid_from, valid_to, '[]') with &&){but}
"""


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("function", partial(op.execute, FOLDED_CODE))
    for table in _CODED:
        ids = _ids(_ALIKE.format(table=table))
        # Null for all the others, which are then not distinct.
        apart = f", (case when id = any({_array(ids)}) then id end)" if ids else ""
        more = " nulls not distinct" if ids else ""
        steps.create_index(f"ix_{table}_folded_code", table, f"(folded_code(code){apart}){more}", unique=True)
    ids = _ids(_ALIKE_UNITS)
    op.execute("alter table units drop constraint ex_units_code")
    op.execute(_UNITS.format(code="folded_code(code)", but=f" where (id <> all({_array(ids)}))" if ids else ""))


def _ids(query: str) -> Sequence[str]:
    return [str(each) for each in op.get_bind().execute(sa.text(query)).scalars()]


def _array(ids: Sequence[str]) -> str:
    return "'{" + ",".join(ids) + "}'::uuid[]"


def downgrade() -> None:
    op.execute("alter table units drop constraint ex_units_code")
    op.execute(_UNITS.format(code="code", but=""))
    for table in reversed(_CODED):
        op.drop_index(f"ix_{table}_folded_code", table)
    op.execute("drop function folded_code(text)")

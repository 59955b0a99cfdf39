"""Names with Ð (U+00D0) or Ɖ (U+0189) in place of Đ are found as d: their texts to search are folded once more."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.domain.text import ALSO_D
from inventory.migrations.history import unrecorded
from vonggac.database.steps import Steps

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SEARCHED = (
    "units", "agencies", "facilities", "focal_points", "destinations", "recorders", "cameras", "teams", "team_members",
    "directives", "obligations", "information_requests", "visits", "inspections", "maintenance_windows",
    "journal_entries", "blocked_reasons", "surveys", "connection_plans", "installation_proposals",
)  # fmt: skip
_HAS_IT = f"search ~ '[{ALSO_D}]'"
_FOLD = "update {0} set search = translate(search, '{1}', '{2}') where id = any(:ids) and {3}"


def upgrade() -> None:
    steps = Steps(op, revision)
    for table in _SEARCHED:
        for each in (table, f"{table}_history"):
            steps.run_in_batches(f"texts of {each}", partial(_fold, each), table=each, where=_HAS_IT)


def _fold(table: str, ids: Sequence[Any]) -> None:
    # Nothing that anybody wrote is changed: the history gets no new state.
    with unrecorded(op, table):
        op.get_bind().execute(sa.text(_FOLD.format(table, ALSO_D, "d" * len(ALSO_D), _HAS_IT)), {"ids": ids})


def downgrade() -> None:
    """Leave a text to search that has d for Ð: the service of before finds it too."""

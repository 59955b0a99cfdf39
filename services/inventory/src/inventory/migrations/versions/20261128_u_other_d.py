"""Names with Ð (U+00D0) or Ɖ (U+0189) in place of Đ are found as d: their texts to search are folded once more."""

from alembic import op

from inventory.domain.text import ALSO_D

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SEARCHED = (
    "units", "agencies", "facilities", "focal_points", "destinations", "recorders", "cameras", "teams", "team_members",
    "directives", "obligations", "information_requests", "visits", "inspections", "maintenance_windows",
    "journal_entries", "blocked_reasons", "surveys", "connection_plans", "installation_proposals",
)  # fmt: skip
_FOLD = "update {0} set search = translate(search, '{1}', '{2}') where search ~ '[{1}]'"


def upgrade() -> None:
    for table in _SEARCHED:
        # Nothing that anybody wrote is changed: the history gets no new state.
        op.execute(f"alter table {table} disable trigger user")
        for each in (table, f"{table}_history"):
            op.execute(_FOLD.format(each, ALSO_D, "d" * len(ALSO_D)))
        op.execute(f"alter table {table} enable trigger user")


def downgrade() -> None:
    """A text to search that has d for Ð is one that the service of before finds too."""

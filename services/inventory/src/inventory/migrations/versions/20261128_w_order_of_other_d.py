"""Names with Ð (U+00D0) or Ɖ (U+0189) in place of Đ stand where Đ does: their keys of order are made once more."""

from alembic import op

from inventory.migrations.order_keys import ORDER_KEY

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_NAMED = (
    "agencies", "teams", "units", "facilities", "destinations", "recorders", "cameras", "obligations",
    "information_requests",
)  # fmt: skip
_PEOPLE = ("focal_points", "team_members")
_SET = "update {table} set name_order = {function}({name}) where {name} ~ '[\u00d0\u00f0\u0189\u0256]'"


def upgrade() -> None:
    op.execute(ORDER_KEY.replace("create function", "create or replace function"))
    for function, name, tables in (("order_key", "name", _NAMED), ("person_order_key", "full_name", _PEOPLE)):
        for table in tables:
            # Nothing that anybody wrote is changed: the history gets no new state.
            op.execute(f"alter table {table} disable trigger user")
            for each in (table, f"{table}_history"):
                op.execute(_SET.format(table=each, function=function, name=name))
            op.execute(f"alter table {table} enable trigger user")


def downgrade() -> None:
    """The service of before compares keys, and makes none of them anew: each is a place in a list."""

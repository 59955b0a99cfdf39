"""The plan of each moment: facilities, destinations, cameras and their deliveries revision by revision."""

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0004"
down_revision = "0003"
lowest_compatible = "0004"
branch_labels = None
depends_on = None

TABLES = {
    "facility": ("code", "name", "type", "status", "district_id", "managing_agency_id", "restricted"),
    "destination": ("code", "name", "role", "required_proof", "enabled"),
    "camera": ("code", "name", "facility_id", "enabled"),
}
"""Columns that a removal leaves empty."""


_FILL_DELIVERIES = """
update delivery set revision = camera.revision, valid_from = camera.valid_from
from camera where camera.id = delivery.camera_id and delivery.id = any(:ids)
"""
_REMOVE_ORPHANS = "delete from delivery where id = any(:ids) and camera_id not in (select id from camera)"


def upgrade() -> None:
    steps = Steps(op, revision)
    for table, columns in TABLES.items():
        steps.run(f"columns of {table}", partial(_date, table, columns))
        _exchange_key(steps, table, ("id", "revision"))
    steps.run("columns of delivery", _add_to_deliveries)
    steps.run_in_batches("orphans", _REMOVE_ORPHANS, table="delivery")
    steps.run_in_batches("deliveries", _FILL_DELIVERIES, table="delivery")
    for column in ("revision", "valid_from"):
        check = f"ck_delivery_{column}"
        steps.add_constraint("delivery", check, f"check ({column} is not null)")
        steps.run(f"fill {column}", partial(_refuse_null, column, check))
    steps.create_index("ix_delivery_id", "delivery", "(id)")
    _exchange_key(steps, "delivery", ("camera_id", "revision", "id"))
    steps.drop_index("ix_delivery_camera_id")
    op.create_table_comment("delivery", "What each revision of a camera is delivered to")
    op.drop_table("tombstone")


def _date(table: str, columns: Sequence[str]) -> None:
    """Take what was known to have been so always, as the reports took it so far: constants, in the catalogue."""
    comment = "The thing is gone from then on"
    op.add_column(table, sa.Column("removed", sa.Boolean(), nullable=False, server_default="false", comment=comment))
    time = sa.DateTime(timezone=True)
    op.add_column(table, sa.Column("created_at", time))
    op.add_column(table, sa.Column("changed_at", time, nullable=False, server_default="epoch"))
    op.add_column(table, sa.Column("changed_by", sa.Text()))
    op.add_column(table, sa.Column("reason", sa.Text()))
    op.add_column(table, sa.Column("valid_from", time, nullable=False, server_default="epoch"))
    comment = "The next revision's change; null while there is none"
    op.add_column(table, sa.Column("valid_to", time, comment=comment))
    comment = "Who made the change since which it is as it is"
    op.add_column(table, sa.Column("decided_by", sa.Text(), comment=comment))
    op.add_column(table, sa.Column("decided_why", sa.Text()))
    for column in ("removed", "changed_at", "valid_from"):
        op.alter_column(table, column, server_default=None)
    for column in columns:
        op.alter_column(table, column, nullable=True)


def _exchange_key(steps: Steps, table: str, columns: Sequence[str]) -> None:
    new = f"pk_{table}_new"
    steps.create_index(new, table, f"({', '.join(columns)})", unique=True)
    exchange = f"drop constraint pk_{table}, add constraint pk_{table} primary key using index {new}"
    steps.run(f"key of {table}", partial(op.execute, f"alter table {table} {exchange}"))


def _add_to_deliveries() -> None:
    op.add_column("delivery", sa.Column("revision", sa.BigInteger(), comment="Of its camera"))
    op.add_column("delivery", sa.Column("valid_from", sa.DateTime(timezone=True)))
    op.add_column("delivery", sa.Column("valid_to", sa.DateTime(timezone=True)))


def _refuse_null(column: str, check: str) -> None:
    """Refuse null where the check is valid: PostgreSQL reads no row again."""
    op.alter_column("delivery", column, nullable=False)
    op.drop_constraint(check, "delivery")


def downgrade() -> None:
    op.create_table(
        "tombstone",
        sa.Column("id", sa.Uuid(), nullable=False, comment="A thing of the inventory that is gone"),
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
    )
    op.execute("delete from delivery where valid_to is not null")
    op.drop_table_comment("delivery")
    op.drop_index("ix_delivery_id", "delivery")
    op.drop_constraint(op.f("pk_delivery"), "delivery")
    op.create_primary_key(op.f("pk_delivery"), "delivery", ["id"])
    op.create_index(op.f("ix_delivery_camera_id"), "delivery", ["camera_id"])
    for column in ("revision", "valid_from", "valid_to"):
        op.drop_column("delivery", column)
    for table, columns in TABLES.items():
        op.execute(
            f"insert into tombstone select id, '{table}', revision from {table} "  # noqa: S608 - our own names
            "where removed and valid_to is null"
        )
        op.execute(f"delete from {table} where valid_to is not null or removed")  # noqa: S608
        op.drop_constraint(op.f(f"pk_{table}"), table)
        op.create_primary_key(op.f(f"pk_{table}"), table, ["id"])
        for column in columns:
            op.alter_column(table, column, nullable=False)
        for column in (
            "removed", "created_at", "changed_at", "changed_by", "reason", "valid_from", "valid_to", "decided_by",
            "decided_why",
        ):  # fmt: skip
            op.drop_column(table, column)

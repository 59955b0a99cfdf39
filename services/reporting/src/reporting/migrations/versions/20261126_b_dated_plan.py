"""The plan of each moment: facilities, destinations, cameras and their deliveries revision by revision."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = {
    "facility": ("code", "name", "type", "status", "district_id", "managing_agency_id", "restricted"),
    "destination": ("code", "name", "role", "required_proof", "enabled"),
    "camera": ("code", "name", "facility_id", "enabled"),
}
"""Columns that a removal leaves empty."""


def upgrade() -> None:
    # What was known is taken to have been so always, as the reports took it so far.
    for table, columns in TABLES.items():
        op.add_column(table, sa.Column("removed", sa.Boolean(), comment="The thing is gone from then on"))
        op.add_column(table, sa.Column("created_at", sa.DateTime(timezone=True)))
        op.add_column(table, sa.Column("changed_at", sa.DateTime(timezone=True)))
        op.add_column(table, sa.Column("changed_by", sa.Text()))
        op.add_column(table, sa.Column("reason", sa.Text()))
        op.add_column(table, sa.Column("valid_from", sa.DateTime(timezone=True)))
        comment = "The next revision's change; null while there is none"
        op.add_column(table, sa.Column("valid_to", sa.DateTime(timezone=True), comment=comment))
        comment = "Who made the change since which it is as it is"
        op.add_column(table, sa.Column("decided_by", sa.Text(), comment=comment))
        op.add_column(table, sa.Column("decided_why", sa.Text()))
        op.execute(f"update {table} set removed = false, changed_at = 'epoch', valid_from = 'epoch'")  # noqa: S608
        for column in ("removed", "changed_at", "valid_from"):
            op.alter_column(table, column, nullable=False)
        for column in columns:
            op.alter_column(table, column, nullable=True)
        op.drop_constraint(op.f(f"pk_{table}"), table)
        op.create_primary_key(op.f(f"pk_{table}"), table, ["id", "revision"])
    op.add_column("delivery", sa.Column("revision", sa.BigInteger(), comment="Of its camera"))
    op.add_column("delivery", sa.Column("valid_from", sa.DateTime(timezone=True)))
    op.add_column("delivery", sa.Column("valid_to", sa.DateTime(timezone=True)))
    op.execute("delete from delivery where camera_id not in (select id from camera)")
    op.execute(
        "update delivery set revision = camera.revision, valid_from = camera.valid_from "
        "from camera where camera.id = delivery.camera_id"
    )
    for column in ("revision", "valid_from"):
        op.alter_column("delivery", column, nullable=False)
    op.drop_index(op.f("ix_delivery_camera_id"), "delivery")
    op.drop_constraint(op.f("pk_delivery"), "delivery")
    op.create_primary_key(op.f("pk_delivery"), "delivery", ["camera_id", "revision", "id"])
    op.create_index("ix_delivery_id", "delivery", ["id"])
    op.create_table_comment("delivery", "What each revision of a camera is delivered to")
    op.drop_table("tombstone")


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

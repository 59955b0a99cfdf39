"""Districts become administrative units."""

from alembic import op

revision = "0009"
down_revision = "0008"
lowest_compatible = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("district", "unit")
    op.execute("alter table unit rename constraint pk_district to pk_unit")
    op.alter_column("facility", "district_id", new_column_name="unit_id")


def downgrade() -> None:
    op.alter_column("facility", "unit_id", new_column_name="district_id")
    op.execute("alter table unit rename constraint pk_unit to pk_district")
    op.rename_table("unit", "district")

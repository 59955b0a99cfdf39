"""Districts become administrative units of three levels; a code is unique among units that stand on the same day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from inventory.migrations.history import add_history, drop_triggers, rename_history
from vonggac.database.steps import Steps

revision = "0006"
down_revision = "0005"
lowest_compatible = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("names", _rename)
    steps.add_constraint("units", "fk_units_parent_id_units", "foreign key (parent_id) references units (id)")
    steps.create_index("ix_units_parent_id", "units", "(parent_id)")
    level = "update units_history set level = 'district', succeeds = '[]' where id = any(:ids)"
    steps.run_in_batches("levels", level, table="units_history", where="level is null")
    noun = "update changes set noun = 'unit' where id = any(:ids)"
    steps.run_in_batches("nouns", noun, table="changes", where="noun = 'district'")


def _rename() -> None:
    # A trusted extension: the owner of the database may create it.
    op.execute("create extension if not exists btree_gist")
    drop_triggers(op, "districts")
    op.rename_table("districts", "units")
    rename_history(op, "districts", "units")
    op.execute("alter table units rename constraint pk_districts to pk_units")
    op.drop_constraint("uq_districts_code", "units")
    op.alter_column("facilities", "district_id", new_column_name="unit_id")
    op.execute("alter index ix_facilities_district_id rename to ix_facilities_unit_id")
    op.execute(
        "alter table facilities rename constraint fk_facilities_district_id_districts to fk_facilities_unit_id_units"
    )
    op.add_column("units", sa.Column("level", sa.String(32), nullable=False, server_default="district"))
    op.alter_column("units", "level", server_default=None)
    op.add_column("units", sa.Column("parent_id", sa.Uuid()))
    op.add_column("units", sa.Column("succeeds", postgresql.JSONB(), nullable=False, server_default="[]"))
    op.execute(
        "alter table units add constraint ex_units_code "
        "exclude using gist (code with =, level with =, daterange(valid_from, valid_to, '[]') with &&)"
    )
    op.alter_column("facilities_history", "district_id", new_column_name="unit_id")
    add_history(op, "units")
    add_history(op, "facilities")


def downgrade() -> None:
    op.execute("update changes set noun = 'district' where noun = 'unit'")
    drop_triggers(op, "units")
    for column in ("succeeds", "parent_id", "level"):
        op.drop_column("units_history", column)
    op.alter_column("facilities_history", "unit_id", new_column_name="district_id")
    op.drop_constraint("ex_units_code", "units")
    op.drop_column("units", "succeeds")
    op.drop_index("ix_units_parent_id", "units")
    op.drop_column("units", "parent_id")
    op.drop_column("units", "level")
    op.execute(
        "alter table facilities rename constraint fk_facilities_unit_id_units to fk_facilities_district_id_districts"
    )
    op.execute("alter index ix_facilities_unit_id rename to ix_facilities_district_id")
    op.alter_column("facilities", "unit_id", new_column_name="district_id")
    op.create_unique_constraint("uq_districts_code", "units", ["code"])
    op.execute("alter table units rename constraint pk_units to pk_districts")
    op.rename_table("units", "districts")
    rename_history(op, "units", "districts")
    add_history(op, "districts")
    add_history(op, "facilities")

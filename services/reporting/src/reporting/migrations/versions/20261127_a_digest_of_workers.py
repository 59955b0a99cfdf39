"""What workers said is found by a digest of their names: in an index, a name took as much room as all else.

The older release runs with it: it finds the same rows, by the thing alone.
"""

from functools import partial

from alembic import op

from vonggac.database.steps import Steps

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SAID = (("delivery_change", "delivery_id"), ("camera_media", "camera_id"))


def upgrade() -> None:
    steps = Steps(op, revision)
    for table, thing in SAID:
        digest = "hashtextextended(worker_id, 0)"
        steps.create_index(f"uq_{table}", table, f"({thing}, {digest}, sequence)", unique=True)
        steps.run(f"key of {table}", partial(op.drop_constraint, f"pk_{table}", table))


def downgrade() -> None:
    for table, thing in SAID:
        op.create_primary_key(f"pk_{table}", table, [thing, "worker_id", "sequence"])
        op.drop_index(f"uq_{table}", table)

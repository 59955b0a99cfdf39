"""What forwarders report of a camera's picture: since when it is another one, and what a prober found of it."""

import sqlalchemy as sa
from alembic import op

from vonggac.database.steps import Steps

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_EMPTY = "picture_since is not null and (not picture_judged or picture_cause is not null)"


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("columns", _add_columns)
    steps.create_index("ix_camera_media_empty", "camera_media", f"(picture_ends_at) where {_EMPTY}")


def _add_columns() -> None:
    time = sa.DateTime(timezone=True)
    op.add_column(
        "camera_media", sa.Column("picture_since", time, comment="The last change of its picture; null: none")
    )
    op.add_column(
        "camera_media",
        sa.Column(
            "picture_judged",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
            comment="A prober decoded it",
        ),
    )
    cause = "Why it shows nothing, of one that was judged so"
    op.add_column("camera_media", sa.Column("picture_cause", sa.Text(), comment=cause))
    ends = "The next change of it, or the next report"
    op.add_column("camera_media", sa.Column("picture_ends_at", time, comment=ends))


def downgrade() -> None:
    op.drop_index("ix_camera_media_empty", "camera_media")
    for name in ("picture_since", "picture_judged", "picture_cause", "picture_ends_at"):
        op.drop_column("camera_media", name)

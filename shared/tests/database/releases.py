"""Migration scripts of releases, written for a test."""

import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

ENVIRONMENT = """
from sqlalchemy import MetaData
from vonggac.database.migrations import run_env

run_env(MetaData())
"""
HEAD = """
from alembic import op
from vonggac.database.steps import Steps

revision, down_revision = {revision!r}, {before!r}
"""
PLAIN = """

def upgrade() -> None:
    op.execute("create table t{revision} (id int primary key, done int)")


def downgrade() -> None:
    op.execute("drop table t{revision}")
"""


def release(folder: Path, *revisions: str, **bodies: str) -> Path:
    """Migration scripts of a release. `bodies`: of the revision `0002` as `_0002`, what stands in its file."""
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENVIRONMENT, "utf-8")
    for before, revision in zip((None, *revisions), revisions, strict=False):
        body = bodies.get(f"_{revision}", PLAIN.format(revision=revision))
        text = HEAD.format(revision=revision, before=before) + body
        (folder / "versions" / f"{revision}.py").write_text(text, "utf-8")
    return folder


def command_of(scripts: Path, url: str) -> list[str]:
    """A process that migrates."""
    call = f"migrate(Path({str(scripts)!r}), {url!r})"
    return [sys.executable, "-c", f"from pathlib import Path; from vonggac.database import migrate; {call}"]


def wait_until(holds: Callable[[], bool], within_s: float = 60) -> None:
    """Ask again and again, without an event loop."""
    until = monotonic() + within_s
    while not holds():
        assert monotonic() < until, "it never came true"
        sleep(0.02)

"""Alembic's entry: the metadata of reporting, run the platform's way."""

from reporting.storage.feeds.tables import notice
from reporting.storage.tables import metadata
from reporting.storage.urging.tables import urge
from vonggac.database.migrations import run_env

assert {notice.metadata, urge.metadata} == {metadata}
run_env(metadata)

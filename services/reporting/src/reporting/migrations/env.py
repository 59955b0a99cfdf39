"""Alembic's entry: the metadata of reporting, run the platform's way."""

from reporting.storage import frozen as _frozen  # noqa: F401 - its tables belong to the metadata
from reporting.storage.tables import metadata
from vonggac.database.migrations import run_env

run_env(metadata)

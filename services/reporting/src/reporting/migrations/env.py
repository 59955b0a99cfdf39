"""Alembic's entry: the metadata of reporting, run the platform's way."""

from reporting.reports.snapshot import chain as _chain  # noqa: F401 - its tables belong to the metadata
from reporting.storage.availability.tables import metadata
from vonggac.database.migrations import run_env

run_env(metadata)

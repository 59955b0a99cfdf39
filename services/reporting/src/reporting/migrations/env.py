"""Alembic's entry: the metadata of reporting, run the platform's way."""

from reporting.storage.feeds import tables as _feeds  # noqa: F401 - its tables are of the same metadata
from reporting.storage.mandate import tables as _mandate  # noqa: F401
from reporting.storage.tables import metadata
from reporting.storage.urging import tables as _urging  # noqa: F401
from vonggac.database.migrations import run_env

run_env(metadata)

"""Alembic's entry: the metadata of reporting, run the platform's way."""

from reporting.reports.snapshot import chain as _chain  # noqa: F401 - its tables are of the same metadata
from reporting.storage.availability import after_freezing as _after_freezing  # noqa: F401
from reporting.storage.availability.tables import metadata
from reporting.storage.mandate import calendar_feeds as _calendar_feeds  # noqa: F401
from reporting.storage.mandate import links as _links  # noqa: F401
from reporting.storage.mandate import tables as _mandate  # noqa: F401 - its tables are of the same metadata
from reporting.storage.sending import issued as _issued  # noqa: F401
from reporting.storage.sending import regimes as _regimes  # noqa: F401
from reporting.storage.sending import tables as _sending  # noqa: F401
from reporting.storage.sending import urging_tables as _urging  # noqa: F401
from reporting.storage.upkeep import self_checks as _self_checks  # noqa: F401 - its table is of the same metadata
from reporting.storage.upkeep import tables as _upkeep  # noqa: F401
from vonggac.database.migrations import run_env

run_env(metadata)

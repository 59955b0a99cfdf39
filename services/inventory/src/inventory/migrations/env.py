"""Alembic's entry: inventory's tables, run as every service's migrations are."""

from inventory.storage.tables import Base
from vonggac.database.migrations import run_env

run_env(Base.metadata)

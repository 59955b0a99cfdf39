"""Alembic revisions of reporting's database."""

from pathlib import Path

SCRIPTS = Path(__file__).parent

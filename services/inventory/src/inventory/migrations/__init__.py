"""Alembic migrations, inside the package so that wheel and image carry them."""

from pathlib import Path

SCRIPTS = Path(__file__).parent

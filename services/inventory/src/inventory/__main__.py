"""`python -m inventory` serves; `… migrate` updates the tables; `… republish` publishes everything again."""

import argparse
import asyncio

from inventory.app import create_app
from inventory.migrations import SCRIPTS
from inventory.settings import Settings
from inventory.storage.republishing import republish
from vonggac.database import Database, database_address, migrate
from vonggac.http.server import run
from vonggac.settings import load_or_exit
from vonggac.telemetry import configure_logging


def main() -> None:
    """Exit status: 0 after a stop, 1 when a file or the database is missing or a task dies, 2 for a bad setting."""
    parser = argparse.ArgumentParser(prog="python -m inventory", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve", "migrate", "republish"], default="serve")
    command = parser.parse_args().command
    settings = load_or_exit(Settings)
    configure_logging(service="inventory", level=settings.log_level, log_format=settings.log_format)
    if command == "migrate":
        migrate(SCRIPTS, database_address(settings))
    elif command == "republish":
        print(f"{asyncio.run(_republish(settings))} messages are in the outbox; a running inventory publishes them")
    else:
        _serve(settings)


def _serve(settings: Settings) -> None:
    try:
        app = create_app(settings)
    except (OSError, ValueError) as error:
        raise SystemExit(f"inventory cannot start: {error}") from None
    run(app, host=settings.host, port=settings.port)
    if app.state.tasks.died is not None:
        raise SystemExit(1)


async def _republish(settings: Settings) -> int:
    database = Database(database_address(settings))
    try:
        return await republish(database)
    finally:
        await database.close()


main()

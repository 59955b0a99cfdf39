"""`python -m reporting` serves; `python -m reporting migrate` brings the tables up to date; `python -m reporting ledger
rebuild` writes the ledger anew from runs and claims (`ledger write`: only the days that are due).

Exit status 0 after an orderly stop, 1 when something needed is missing or a background task died, 2 for a bad setting.

A command imports what it needs: the services of a platform wait for `migrate`, which needs no application.
"""

import argparse
import asyncio
import gc
from datetime import UTC, datetime

from reporting.domain.instants import millis
from reporting.migrations import SCRIPTS
from reporting.settings import Settings
from vonggac.database import Database, database_address, migrate_or_exit
from vonggac.settings import load_or_exit, log_unknown_settings
from vonggac.telemetry import configure_logging
from vonggac.telemetry.garbage_collection import share_one_heap


def main() -> None:
    """Run the command given, with the settings of the environment (VONGGAC_REPORTING_…)."""
    parser = argparse.ArgumentParser(prog="python -m reporting", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve", "migrate", "ledger"], default="serve")
    parser.add_argument("what", nargs="?", choices=["write", "rebuild"], help="of the ledger; default: write")
    given = parser.parse_args()
    command: str = given.command
    if given.what is not None and command != "ledger":
        parser.error(f"{command} takes no {given.what!r}")
    settings = load_or_exit(Settings)
    configure_logging(service="reporting", level=settings.log_level, log_format=settings.log_format)
    log_unknown_settings(Settings)
    if command == "migrate":
        migrate_or_exit(SCRIPTS, settings)
        return
    if command == "ledger":
        days = asyncio.run(_write_ledger(settings, anew=given.what == "rebuild"))
        print(f"{days} days written to the ledger")
        return
    _serve(settings)


def _serve(settings: Settings) -> None:
    # What a start makes stays: searching it for garbage takes a seventh of its time. Serving enables it again.
    gc.disable()
    share_one_heap()
    from reporting.app import create_app
    from vonggac.http.server import serve_or_exit

    serve_or_exit("reporting", create_app, settings)


async def _write_ledger(settings: Settings, *, anew: bool) -> int:
    from reporting.reports.availability.bookkeeping import bookkeeper_of

    database = Database(database_address(settings))
    try:
        bookkeeper, now = bookkeeper_of(database, settings), millis(datetime.now(UTC))
        return await (bookkeeper.rebuild(now) if anew else bookkeeper.keep(now))
    finally:
        await database.close()


if __name__ == "__main__":
    main()

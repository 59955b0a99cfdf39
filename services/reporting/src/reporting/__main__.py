"""`python -m reporting` serves; `python -m reporting migrate` brings the tables up to date.

Exit status 0 after an orderly stop, 1 when something needed is missing or a background task died, 2 for a bad setting.
"""

import argparse

from reporting.app import create_app
from reporting.migrations import SCRIPTS
from reporting.settings import Settings
from vonggac.database import database_address, migrate
from vonggac.http.server import run
from vonggac.settings import load_or_exit
from vonggac.telemetry import configure_logging


def main() -> None:
    """Settings from the environment (VONGGAC_REPORTING_…)."""
    parser = argparse.ArgumentParser(prog="python -m reporting", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve", "migrate"], default="serve")
    command = parser.parse_args().command
    settings = load_or_exit(Settings)
    configure_logging(service="reporting", level=settings.log_level, log_format=settings.log_format)
    if command == "migrate":
        if (newer := migrate(SCRIPTS, database_address(settings))) is not None:
            print(newer)
        return
    try:
        app = create_app(settings)
    except (OSError, ValueError) as error:
        raise SystemExit(f"reporting cannot start: {error}") from None
    run(app, host=settings.host, port=settings.port)
    if app.state.tasks.died is not None:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

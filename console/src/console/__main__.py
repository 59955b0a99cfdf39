"""`python -m console`: serve the pages until SIGTERM.

Exit status 0 after an orderly stop, 1 when a file is missing or after a death, 2 for bad settings.
"""

import gc

from console.settings import Settings
from vonggac.settings import load_or_exit, log_unknown_settings
from vonggac.telemetry import configure_logging


def main() -> None:
    """Serve the console, with its settings from the environment (VONGGAC_CONSOLE_…)."""
    settings = load_or_exit(Settings)
    configure_logging(service="console", level=settings.log_level, log_format=settings.log_format)
    log_unknown_settings(Settings)
    # What a start makes stays: serving enables the search for garbage again.
    gc.disable()
    from console.app import create_app
    from vonggac.http.server import serve_or_exit

    serve_or_exit("console", create_app, settings)


if __name__ == "__main__":
    main()

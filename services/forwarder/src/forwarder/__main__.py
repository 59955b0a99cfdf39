"""`python -m forwarder`: serve until SIGTERM.

Exit status 0 after an orderly stop, 1 when a file is missing or after a death, 2 for bad settings.
"""

import gc

from forwarder.settings import Settings
from vonggac.settings import load_or_exit, log_unknown_settings
from vonggac.telemetry import configure_logging


def main() -> None:
    """Run the forwarder with settings from the environment (VONGGAC_FORWARDER_…)."""
    settings = load_or_exit(Settings)
    configure_logging(service="forwarder", level=settings.log_level, log_format=settings.log_format)
    log_unknown_settings(Settings)
    # What a start makes stays: searching it for garbage takes a seventh of its time. Serving enables it again.
    gc.disable()
    from forwarder.app import create_app
    from vonggac.http.server import serve_or_exit

    serve_or_exit("forwarder", create_app, settings)


if __name__ == "__main__":
    main()

"""`python -m forwarder`: serve until SIGTERM.

Exit status 0 after an orderly stop, 1 when a file is missing or after a death, 2 for bad settings.
"""

import gc

from forwarder.settings import Settings
from vonggac.settings import load_or_exit, log_unknown_settings
from vonggac.telemetry import configure_logging


def main() -> None:
    """Settings from the environment (VONGGAC_FORWARDER_…)."""
    settings = load_or_exit(Settings)
    configure_logging(service="forwarder", level=settings.log_level, log_format=settings.log_format)
    log_unknown_settings(Settings)
    # What a start makes stays: searching it for garbage takes a seventh of its time. `serve` begins with that.
    gc.disable()
    from forwarder.app import create_app
    from vonggac.http.server import serve

    try:
        app = create_app(settings)
    except (OSError, ValueError) as error:
        raise SystemExit(f"forwarder cannot start: {error}") from None
    serve(app, settings)
    if app.state.tasks.died is not None:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""`python -m forwarder`: serve until SIGTERM.

Exit status 0 after an orderly stop, 1 after a death, 2 for bad settings.
"""

import gc
import sys

from forwarder.settings import Settings
from vonggac.settings import load_or_exit
from vonggac.telemetry import configure_logging


def main() -> None:
    """Settings from the environment (VONGGAC_FORWARDER_…)."""
    settings = load_or_exit(Settings)
    configure_logging(service="forwarder", level=settings.log_level, log_format=settings.log_format)
    # What a start makes stays: looking for garbage among it takes a seventh of its time. `serve` begins with that.
    gc.disable()
    from forwarder.app import create_app
    from vonggac.http.server import serve

    try:
        app = create_app(settings)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"forwarder cannot start: {error}\n")
        raise SystemExit(2) from None
    serve(app, settings)
    if app.state.tasks.died is not None:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

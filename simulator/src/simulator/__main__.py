"""`python -m simulator [--config FILE]`: the simulator as a process of its own, until SIGTERM or SIGINT."""

import argparse
import sys
from pathlib import Path

from simulator.app import create_app
from simulator.config import ConfigError
from simulator.devices.listener import ListenError
from simulator.settings import SimulatorSettings
from vonggac.http.server import run
from vonggac.settings import load_or_exit, log_unknown_settings
from vonggac.telemetry import configure_logging


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument(
        "--config", type=Path, help="JSON file with cameras and centres (default: the demo's)", default=None
    )
    arguments = parser.parse_args()
    settings = load_or_exit(SimulatorSettings)
    if arguments.config is not None:
        settings = settings.model_copy(update={"config": arguments.config})
    configure_logging(service="simulator", level=settings.log_level, log_format=settings.log_format)
    log_unknown_settings(SimulatorSettings)
    try:
        app = create_app(settings)
    except (ConfigError, ListenError) as error:
        sys.exit(f"simulator: {error}")
    run(app, host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()

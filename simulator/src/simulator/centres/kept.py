"""What a centre was given to pull, on disk: a monitoring system keeps it over a restart too."""

import json
import os
from pathlib import Path

from pydantic import ValidationError

from simulator.config import PullingConfig
from vonggac.telemetry import get_logger

log = get_logger(__name__)


class KeptPulling:
    """`<centre>.json` has user name and addresses, `<centre>.password` the password; both are their owner's alone."""

    def __init__(self, folder: Path, centre_id: str) -> None:
        self._centre_id = centre_id
        self._stated = folder / f"{centre_id}.json"
        self._password = folder / f"{centre_id}.password"

    def read(self, config: PullingConfig) -> PullingConfig | None:
        """`config` with what is kept; None where nothing usable is."""
        try:
            stated = json.loads(self._stated.read_text("utf-8"))
            password = self._password.read_text("utf-8")
            changed = {"username": stated["username"], "addresses": stated["addresses"], "password": password}
            return PullingConfig.model_validate(config.model_dump() | changed)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, ValidationError):
            log.warning("centre_pulling_unreadable", centre=self._centre_id, file=str(self._stated))
            return None

    def write(self, config: PullingConfig) -> None:
        """Replace what is kept. A folder that cannot be written costs the next start its addresses, nothing else."""
        stated = json.dumps({"username": config.username, "addresses": dict(config.addresses)}, indent=1)
        try:
            self._stated.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # The password first: a name without one is read as nothing, and not as a wrong login.
            _replace(self._password, config.password.get_secret_value())
            _replace(self._stated, stated)
        except OSError:
            log.warning("centre_pulling_unwritable", centre=self._centre_id, file=str(self._stated))


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)

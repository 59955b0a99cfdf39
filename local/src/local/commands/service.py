"""A command of inventory or reporting with the settings of a `make run`: `vonggac service inventory republish`.

The platform of the state folder runs, or its servers are started for the time of the command.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from local.backup import place
from local.platform import environment
from local.platform.ports import LOOPBACK_NETWORKS, Ports
from local.platform.progress import Progress
from local.platform.state import StateFolder


async def run_service_command(state: StateFolder, service: str, words: Sequence[str], progress: Progress) -> int:
    """Its exit status. Raises UnusableBackupError when the folder has no platform, ServerError or OSError."""
    async with place.of_state(state, progress.step) as found:
        variables = environment.of_service(
            service,
            state=state,
            ports=Ports(nats=urlsplit(found.nats_url).port or Ports().nats),
            databases=found.databases,
            allowed=LOOPBACK_NETWORKS,
        )
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-m", service, *words, env=os.environ | variables
        )
        return await command.wait()

"""The whole platform for the tests that cross services: started once per module, with the demo loaded."""

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.e2e.platform import RunningPlatform, load

from local.platform.platform import Platform
from local.platform.ports import anywhere
from local.platform.progress import Progress
from local.platform.state import StateFolder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(clips_folder: Path) -> AsyncIterator[RunningPlatform]:
    """Every process of `make run`, the demo loaded, the truth not yet waited for."""
    with tempfile.TemporaryDirectory(prefix="vonggac-e2e-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - PostgreSQL may run as another user
        state = StateFolder(Path(folder))
        # The clips of the demo are encoded for the first platform of a run.
        state.simulator.symlink_to(clips_folder)
        platform = Platform(state, anywhere(), allowed=("127.0.0.0/8",), progress=Progress(), durable=True)
        try:
            await platform.start()
            loaded = await load(platform)
            yield loaded
            await loaded.stop_others()
        finally:
            await platform.stop()

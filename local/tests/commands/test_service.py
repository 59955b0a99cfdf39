"""`vonggac service`: commands of a record keeper on the platform of a state folder, running or not."""

import json
from pathlib import Path

import pytest

from local.backup import place
from local.commands.service import run_service_command
from local.platform.progress import Progress
from local.platform.state import StateFolder

pytestmark = pytest.mark.server


async def test_a_command_has_the_settings_of_the_platform(
    servers_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state = StateFolder(servers_folder / "served")
    with state.lock():
        pass
    assert await run_service_command(state, "inventory", ["migrate"], Progress()) == 0
    with state.lock():
        async with place.started(state, lambda _part, _text: None):
            assert await run_service_command(state, "inventory", ["republish"], Progress()) == 0
            assert await run_service_command(state, "inventory", ["replay"], Progress()) == 2
    out, errors = capfd.readouterr()
    assert "0 messages are in the outbox" in out
    assert "needs the number of a dead letter" in errors
    applied = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert not [line for line in applied if line["level"] == "error"]

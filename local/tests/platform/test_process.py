"""Child processes: started, watched, stopped, with real ones."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from local.platform.process import Child, ProcessEndedError
from local.platform.state import ProcessRecord, StateFolder
from vonggac.testing import eventually

pytestmark = pytest.mark.server

SCRIPTS = {
    "stubborn": "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
    "while True: time.sleep(60)\n",
    "patient": "import time\nprint('up', flush=True)\nwhile True: time.sleep(60)\n",
    "failing": "import sys\nprint('the reason', flush=True)\nsys.exit(3)\n",
    "secretive": "import os, sys\nprint(len(os.environ['SECRET']), sys.argv, flush=True)\n",
}


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in SCRIPTS.items():
        (tmp_path / f"{name}_child.py").write_text(text, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def child(folder: Path, name: str, *, lasting: bool = True, environment: dict[str, str] | None = None) -> Child:
    record = ProcessRecord(StateFolder(folder))
    return Child(name, [f"{name}_child"], environment or {}, folder / "log" / f"{name}.log", record, lasting=lasting)


async def started(folder: Path, name: str, word: str) -> Child:
    one = child(folder, name)
    one.start()
    await eventually(lambda: word in one.log.read_text("utf-8"), what=f"{name} says {word}")
    return one


async def test_a_child_is_asked_to_end(scripts: Path) -> None:
    one = await started(scripts, "patient", "up")
    process = one.process
    assert process is not None
    assert await one.stop(within_s=10) is True
    assert process.returncode == -signal.SIGTERM


async def test_a_child_that_does_not_end_is_killed(scripts: Path) -> None:
    one = await started(scripts, "stubborn", "deaf")
    process = one.process
    assert process is not None
    assert await one.stop(within_s=0.2) is False
    assert process.returncode == -signal.SIGKILL


async def test_a_stop_that_is_cancelled_leaves_no_process(scripts: Path) -> None:
    one = await started(scripts, "stubborn", "deaf")
    process = one.process
    assert process is not None
    stopping = asyncio.create_task(one.stop(within_s=60))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert process.returncode == -signal.SIGKILL


async def test_an_end_is_reported_with_the_last_lines_of_the_log(scripts: Path) -> None:
    one = await started(scripts, "failing", "the reason")
    assert one.process is not None
    one.process.wait(10)
    with pytest.raises(ProcessEndedError, match=r"failing ended with status 3; .*failing.log:\nthe reason"):
        one.require_running()


async def test_a_crash_is_reported_with_its_signal(scripts: Path) -> None:
    one = await started(scripts, "patient", "up")
    one.kill()
    assert one.process is not None
    one.process.wait(10)
    with pytest.raises(ProcessEndedError, match="patient was ended by SIGKILL"):
        one.require_running()


async def test_a_command_that_fails_is_an_error(scripts: Path) -> None:
    one = child(scripts, "failing", lasting=False)
    one.start()
    with pytest.raises(ProcessEndedError, match="the reason"):
        await one.finished(within_s=20)


async def test_a_command_that_takes_too_long_is_ended(scripts: Path) -> None:
    one = child(scripts, "patient", lasting=False)
    one.start()
    process = one.process
    assert process is not None
    with pytest.raises(ProcessEndedError, match="patient did not finish within 0 s"):
        await one.finished(within_s=0.1)
    assert process.returncode is not None


async def test_secrets_travel_in_the_environment_only(scripts: Path) -> None:
    one = child(scripts, "secretive", lasting=False, environment={"SECRET": "s3cret"})
    one.start()
    assert one.process is not None
    assert one.process.args == [sys.executable, "-m", "secretive_child"]
    await one.finished(within_s=20)
    assert one.log.read_text("utf-8").startswith("6 ")


async def test_ctrl_c_at_the_terminal_does_not_reach_a_child(scripts: Path) -> None:
    one = await started(scripts, "patient", "up")
    assert one.process is not None
    assert os.getsid(one.process.pid) != os.getsid(0)
    await one.stop(within_s=10)


async def test_the_log_of_the_run_before_is_kept(scripts: Path) -> None:
    for _ in range(2):
        one = await started(scripts, "patient", "up")
        await one.stop(within_s=10)
    assert (scripts / "log" / "patient.log.1").read_text("utf-8") == "up\n"

"""The state folder: held by one platform at a time; what a killed one left is stopped."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.commands.clean import clean
from local.platform.leftovers import still_running
from local.platform.progress import Progress
from local.platform.state import ProcessRecord, StateFolder, StateInUseError

pytestmark = pytest.mark.server

WAITS = "import sys; sys.stdin.read()"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def test_a_folder_is_held_by_one_alone(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "var")
    with state.lock(), pytest.raises(StateInUseError, match=r"a platform already runs with .*var"), state.lock():
        pass


def test_a_folder_can_be_held_again(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "var")
    with state.lock():
        assert (state.root / "lock").read_text("ascii").strip()
    with state.lock():
        pass


def test_the_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.write_tokens("secret", "another")
    assert state.approver_token_file.read_text("ascii") == "another"
    assert state.approver_token_file.stat().st_mode & 0o077 == 0
    assert state.token_file.read_text("ascii") == "secret"
    assert state.token_file.stat().st_mode & 0o077 == 0


def test_what_a_killed_platform_left_is_stopped(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    state, stopped = StateFolder(tmp_path), list[str]()
    ProcessRecord(state).record_started("simulator", process.pid, signal.SIGTERM)
    ProcessRecord(state).stop_leftovers(lambda name, _: stopped.append(name))
    assert process.wait(5) == -signal.SIGTERM
    assert stopped == ["simulator"]


def test_a_process_with_the_same_id_that_started_at_another_time_is_left_alone(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    state, stopped = StateFolder(tmp_path), list[str]()
    (tmp_path / "processes.json").write_text(f'{{"simulator": [{process.pid}, 1000.0, 15]}}', "utf-8")
    ProcessRecord(state).stop_leftovers(lambda name, _: stopped.append(name))
    assert process.poll() is None
    assert stopped == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": ["x", 1, 2]}'])
def test_a_damaged_record_hinders_no_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "processes.json").write_text(content, "utf-8")
    ProcessRecord(StateFolder(tmp_path)).stop_leftovers(lambda *_: None)
    assert (tmp_path / "processes.json").read_text("utf-8") == "{}"


def test_disk_full_hinders_no_part_from_starting_or_ending(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    full = tmp_path / "processes.part"
    full.symlink_to("/dev/full")
    record = ProcessRecord(StateFolder(tmp_path))
    record.record_started("NATS", process.pid, signal.SIGTERM)
    record.record_ended("PostgreSQL")
    assert not (tmp_path / "processes.json").exists()
    full.unlink()
    record.record_ended("simulator")
    assert list(json.loads((tmp_path / "processes.json").read_text("utf-8"))) == ["NATS"], "written with the next"


def test_a_zombie_has_ended(process: subprocess.Popen[bytes]) -> None:
    watched = psutil.Process(process.pid)
    process.kill()
    assert still_running([watched], within_s=5) == []
    assert watched.status() == psutil.STATUS_ZOMBIE


def test_clean_removes_the_state(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "var")
    with state.lock():
        (state.root / "log").mkdir()
    assert clean(state, Progress()) == 0
    assert not state.root.exists()


def test_clean_touches_neither_a_running_platform_nor_a_foreign_folder(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "var")
    with state.lock(), pytest.raises(StateInUseError):
        clean(state, Progress())
    foreign = tmp_path / "documents"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine", "utf-8")
    assert clean(StateFolder(foreign), Progress()) == 1
    assert (foreign / "letter.txt").exists()

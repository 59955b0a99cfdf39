"""`python -m local run` as a person uses it: started, doubled, interrupted, started again, hurt. Real processes."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from local.platform.leftovers import running_below, still_running
from local.platform.state import StateFolder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 60.0


class Terminal:
    """One `python -m local run`, and what it has printed so far."""

    def __init__(self, state: StateFolder, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "run", "--state", str(state.root), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.printed = ""
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def until(self, words: str, within_s: float = READY_WITHIN_S) -> str:
        """What was printed once `words` are among it."""
        with self._grown:
            self._grown.wait_for(lambda: words in self.printed or self.process.poll() is not None, within_s)
        assert words in self.printed, self.printed
        return self.printed

    def end(self, number: int | None = None) -> int:
        """The exit status, after a signal if one is given; everything it had started is gone by then."""
        below = running_below(psutil.Process(self.process.pid)) if self.process.poll() is None else []
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(STOP_WITHIN_S)
        self._reader.join()
        assert still_running(below, within_s=5) == []
        return status

    def kill(self) -> None:
        """Only when a test failed half way: the processes are stopped in order by a signal first."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                for one in (*running_below(psutil.Process(self.process.pid)), psutil.Process(self.process.pid)):
                    one.kill()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                with self._grown:
                    self.printed += line
                    self._grown.notify_all()
        with self._grown:
            self._grown.notify_all()


@pytest.fixture(scope="module")
def state(servers_folder: Path) -> StateFolder:
    return StateFolder(servers_folder / "run")


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    started: list[Terminal] = []
    yield started
    for terminal in started:
        terminal.kill()


def address(printed: str, part: str) -> str:
    found = re.search(rf"^  {part} +(http://\S+)", printed, re.MULTILINE)
    assert found is not None, printed
    return found[1]


def cameras(printed: str, state: StateFolder) -> dict[str, str]:
    """Code to id, as inventory has them."""
    token = state.token_file.read_text("ascii")
    answer = httpx.get(
        f"{address(printed, 'inventory')}/v1/cameras", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    return {item["code"]: item["id"] for item in answer.json()["items"]}


def stops(printed: str) -> list[str]:
    return re.findall(r"^ *[0-9.]+ s +(\S+) +stopped$", printed, re.MULTILINE)


def test_a_platform_starts_is_alone_stops_in_order_and_goes_on(state: StateFolder, terminals: list[Terminal]) -> None:
    terminals.append(first := Terminal(state))
    printed = first.until("Try next:")
    assert "has the state of every camera" in printed
    assert "both 6, neither 2; compliant 6" in printed
    assert state.token_file.read_text("ascii") in printed
    before = cameras(printed, state)
    assert len(before) == 8

    terminals.append(second := Terminal(state))
    assert second.end() == 1
    assert f"a platform already runs with {state.root} (process {first.process.pid})" in second.printed

    assert first.end(signal.SIGINT) == 0
    order = stops(first.printed)
    assert set(order[:2]) == {"prober", "forwarder"}
    assert set(order[2:4]) == {"inventory", "reporting"}
    assert order[4:] == ["simulator", "NATS", "PostgreSQL"]

    terminals.append(third := Terminal(state))
    printed = third.until("Try next:")
    assert cameras(printed, state) == before
    assert third.end(signal.SIGTERM) == 0


def test_a_part_that_dies_is_named_and_the_rest_stops(state: StateFolder, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(state))
    terminal.until("prober      ready")
    prober = next(one for one in running_below(psutil.Process(terminal.process.pid)) if one.cmdline()[-1] == "prober")
    prober.kill()
    assert terminal.end() == 1
    assert "prober was ended by SIGKILL; the last lines of" in terminal.printed
    assert stops(terminal.printed)[-1] == "PostgreSQL"


def test_the_other_forwarder_goes_on_when_one_is_killed(state: StateFolder, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(state, "--forwarders", "2", "--probers", "2"))
    printed = terminal.until("Try next:")
    assert len({address(printed, part) for part in ("prober", "prober-2", "forwarder", "forwarder-2")}) == 4
    below = running_below(psutil.Process(terminal.process.pid))
    first, second = (one for one in below if one.cmdline()[-1] == "forwarder")
    first.kill()
    printed = terminal.until("the other replicas go on with its jobs")
    second.kill()
    assert terminal.end() == 1
    assert {"prober", "prober-2"} < set(stops(terminal.printed)[:3])


def test_a_killed_platform_hinders_no_start(state: StateFolder, terminals: list[Terminal]) -> None:
    terminals.append(first := Terminal(state))
    first.until("tables are up to date")
    below = running_below(psutil.Process(first.process.pid))
    first.process.kill()
    first.process.wait(STOP_WITHIN_S)
    terminals.append(second := Terminal(state))
    assert "PostgreSQL  left over from a platform that was killed" in second.until("NATS        answers")
    assert second.end(signal.SIGINT) == 0
    assert still_running(below, within_s=5) == []


def test_a_bad_camera_file_starts_nothing(tmp_path: Path, terminals: list[Terminal]) -> None:
    state = StateFolder(tmp_path / "never")
    file = tmp_path / "mine.csv"
    file.write_text("code,name,url\nA1,,rtsp://127.0.0.1/x\n", "utf-8")
    terminals.append(terminal := Terminal(state, "--cameras", str(file)))
    assert terminal.end() == 1
    assert f"{file}: row 2, name: is empty" in terminal.printed
    assert not state.root.exists()

"""`python -m local run` as a person uses it: started, doubled, hurt, interrupted, started again. Real processes.

Two platforms, of the same state one after the other, are asked by all tests of the file, in their order.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import av
import httpx
import psutil
import pytest

from local.platform.leftovers import running_below, still_running
from local.platform.state import StateFolder, open_to_others

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(240)]

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

    def until_count(self, words: str, count: int, within_s: float = READY_WITHIN_S) -> None:
        """Wait until `words` were printed so many times."""
        with self._grown:
            self._grown.wait_for(
                lambda: self.printed.count(words) >= count or self.process.poll() is not None, within_s
            )
        assert self.printed.count(words) >= count, self.printed

    def until_true(self, fact: Callable[[], bool], within_s: float = READY_WITHIN_S) -> None:
        """Ask for a fact until it holds."""
        deadline = time.monotonic() + within_s
        while not fact():
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.5)

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


@pytest.fixture(scope="module")
def centres(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A centre of one's own that pulls."""
    file = tmp_path_factory.mktemp("centres") / "centres.csv"
    file.write_text("code,name,role,mode,networks\nIOC,Trung tâm điều hành,provincial,serve,127.0.0.1\n", "utf-8")
    return file


@pytest.fixture(scope="module")
def first(state: StateFolder) -> Iterator[Terminal]:
    """Started with an empty state, ready."""
    terminal = Terminal(state)
    try:
        terminal.until("Try next:")
        yield terminal
    finally:
        terminal.kill()


@pytest.fixture(scope="module")
def again(state: StateFolder, centres: Path) -> Iterator[Terminal]:
    """Started with what the first left behind, two of two services, an own centre for D2; one of its ports is taken."""
    taken = json.loads(state.ports_file.read_text("ascii"))["ports"]["rtsp_base"] + 11
    with socket.create_server(("127.0.0.1", taken)):
        terminal = Terminal(state, "--forwarders", "2", "--probers", "2", "--destinations", str(centres))
        try:
            terminal.until("Try next:")
            yield terminal
        finally:
            terminal.kill()


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


def addresses(printed: str) -> list[str]:
    """Of all services, in the order of the table."""
    return re.findall(r"^  [a-z]+ +(http://\S+)", printed, re.MULTILINE)


def cameras(printed: str, state: StateFolder) -> dict[str, str]:
    """Code to id, as inventory has them."""
    token = state.token_file.read_text("ascii")
    answer = httpx.get(
        f"{address(printed, 'inventory')}/v1/cameras", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    return {item["code"]: item["id"] for item in answer.json()["items"]}


def close_facility(printed: str, state: StateFolder, code: str) -> None:
    """As a person does, by inventory's API."""
    token = state.token_file.read_text("ascii")
    url, headers = f"{address(printed, 'inventory')}/v1/facilities", {"Authorization": f"Bearer {token}"}
    with httpx.Client(headers=headers, trust_env=False) as client:
        [facility] = [one for one in client.get(url).json()["items"] if one["code"] == code]
        one = f"{url}/{facility['id']}"
        answer = client.post(
            f"{one}/transitions",
            json={"to": "closed", "reason": "hết dịch"},
            headers={"If-Match": client.get(one).headers["ETag"]},
        )
        assert answer.status_code == 200, answer.text


def delivered(printed: str, state: StateFolder, centres: Collection[str]) -> bool:
    """Whether reporting says that six cameras are connected to each of these centres."""
    token = state.token_file.read_text("ascii")
    try:
        answer = httpx.get(
            f"{address(printed, 'reporting')}/v1/compliance",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=10,
        )
    except httpx.TransportError:
        return False
    if answer.status_code != 200:
        return False
    connected = Counter(
        delivery["destination"]["code"]
        for camera in answer.json()["cameras"]
        for delivery in camera["deliveries"]
        if delivery["connected"] is True
    )
    return all(connected[centre] == 6 for centre in centres)


def stops(printed: str) -> list[str]:
    return re.findall(r"^ *[0-9.]+ s +(\S+) +stopped$", printed, re.MULTILINE)


def processes_of(terminal: Terminal, part: str) -> list[psutil.Process]:
    """Those of a part that run now: several of a service that has others beside it."""
    below = running_below(psutil.Process(terminal.process.pid))
    words = [(one, one.cmdline()) for one in below]
    if part == "PostgreSQL":
        return [one for one, line in words if line[0].endswith("/postgres") and "-D" in line]
    if part == "NATS":
        return [one for one, line in words if line[0].endswith("nats-server")]
    return [one for one, line in words if line[-1] == part]


def process_of(terminal: Terminal, part: str) -> psutil.Process:
    """The process of a part that runs once."""
    [process] = processes_of(terminal, part)
    return process


def test_a_platform_says_what_it_has_and_keeps_it_to_itself(state: StateFolder, first: Terminal) -> None:
    assert "has the state of every camera" in first.printed
    assert "both 6, neither 2; compliant 6" in first.printed
    assert state.token_file.read_text("ascii") in first.printed
    assert len(cameras(first.printed, state)) == 8
    assert open_to_others(state.root) == []


def test_a_second_platform_of_the_same_state_does_not_start(
    state: StateFolder, first: Terminal, terminals: list[Terminal]
) -> None:
    terminals.append(second := Terminal(state))
    assert second.end() == 1
    assert f"a platform already runs with {state.root} (process {first.process.pid})" in second.printed


@pytest.mark.parametrize(
    "parts", [("prober", "forwarder", "inventory"), ("reporting", "simulator", "NATS", "PostgreSQL")]
)
def test_supervised_parts_are_killed_one_by_one_and_the_platform_goes_on(
    state: StateFolder, first: Terminal, parts: tuple[str, ...]
) -> None:
    before = cameras(first.printed, state)
    for part in parts:
        answers = "answers again" if part in {"NATS", "PostgreSQL"} else f"{part:<11} ready on"
        ready = first.printed.count(answers)
        killed = process_of(first, part)
        killed.kill()
        first.until(f"{part:<11} {part} ")
        first.until_count(answers, ready + 1)
        assert process_of(first, part).pid != killed.pid
        assert re.search(rf"{part} .*; starting it again in 0.5 s", first.printed)
    first.until_true(lambda: delivered(first.printed, state, ("D1", "D2")))
    assert cameras(first.printed, state) == before


def test_a_platform_that_is_interrupted_stops_in_order(state: StateFolder, first: Terminal) -> None:
    close_facility(first.printed, state, "QT-04")
    assert first.end(signal.SIGINT) == 0
    order = stops(first.printed)
    assert set(order[:2]) == {"console", "issuer"}
    assert set(order[2:4]) == {"prober", "forwarder"}
    assert set(order[4:6]) == {"inventory", "reporting"}
    assert order[6:] == ["simulator", "NATS", "PostgreSQL"]


def test_a_platform_that_is_started_again_goes_on_with_ports_that_are_free(
    state: StateFolder, first: Terminal, again: Terminal
) -> None:
    # Cameras and centres move: their logins with them.
    assert "are not all free: using" in again.printed
    again.until_true(lambda: delivered(again.printed, state, ("D1",)))
    assert len(cameras(again.printed, state)) == 8
    # Ports stay, but for one that somebody took meanwhile.
    if "is taken by another program" not in again.printed:
        assert set(addresses(first.printed)) <= set(addresses(again.printed))


def test_an_own_centre_that_pulls_receives_the_cameras_by_the_printed_login(
    state: StateFolder, again: Terminal
) -> None:
    kept = state.centres / "IOC.password"
    password = kept.read_text("ascii").strip()
    assert f"IOC logs in as ioc with the password in {kept}" in again.printed
    assert password not in again.printed
    served = json.loads(state.ports_file.read_text("ascii"))["ports"]["served"]

    def plays() -> bool:
        try:
            url = f"rtsp://ioc:{password}@127.0.0.1:{served}/IOC/QT-01-C01"
            with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as played:
                return next(played.demux(video=0)).size > 0
        except av.FFmpegError:
            return False

    again.until_true(plays)


def test_supervised_replica_is_started_again(again: Terminal) -> None:
    assert len({address(again.printed, part) for part in ("prober", "prober-2", "forwarder", "forwarder-2")}) == 4
    for one in processes_of(again, "forwarder"):
        one.kill()
    again.until_count("forwarder   ready on", 2)
    again.until_count("forwarder-2 ready on", 2)


def test_supervised_part_that_dies_again_and_again_ends_the_platform(again: Terminal) -> None:
    for death in range(1, 6):
        for one in processes_of(again, "prober"):
            one.kill()
        if death < 5:
            again.until_count("prober      ready on", death + 1)
            again.until_count("prober-2    ready on", death + 1)
    assert again.end() == 1
    assert re.search(r"prober(-2)? was ended by SIGKILL; the last lines of", again.printed)
    assert re.search(r"prober(-2)? has ended 5 times within 60 s: giving up", again.printed)
    order = stops(again.printed)
    # The pages and their sign-in stop before any service.
    assert {"forwarder", "forwarder-2"} <= set(order[2:6]), order
    assert order[-1] == "PostgreSQL"


def test_a_killed_platform_hinders_no_start(state: StateFolder, terminals: list[Terminal]) -> None:
    terminals.append(first := Terminal(state))
    first.until("tables are up to date")
    below = running_below(psutil.Process(first.process.pid))
    first.process.kill()
    first.process.wait(STOP_WITHIN_S)
    terminals.append(second := Terminal(state))
    assert "PostgreSQL  left over from a platform that was killed" in second.until("NATS        answers")
    assert second.end(signal.SIGTERM) == 0
    assert still_running(below, within_s=5) == []


def test_a_bad_camera_file_starts_nothing(tmp_path: Path, terminals: list[Terminal]) -> None:
    state = StateFolder(tmp_path / "never")
    file = tmp_path / "mine.csv"
    file.write_text("code,name,url\nA1,,rtsp://127.0.0.1/x\n", "utf-8")
    terminals.append(terminal := Terminal(state, "--cameras", str(file)))
    assert terminal.end() == 1
    assert f"{file}: line 2, column name: is empty" in terminal.printed
    assert not state.root.exists()

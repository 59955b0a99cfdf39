"""Dead parts are started again, later and later; one that dies again and again ends the platform with its reason."""

import asyncio
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from local.platform import supervisor
from local.platform.process import Child, ProcessEndedError
from local.platform.progress import Progress
from local.platform.state import ProcessRecord, StateFolder
from local.platform.supervisor import Deaths, Part, Supervisor
from vonggac.testing import eventually

MODULE = "import time\nwhile True:\n    time.sleep(60)\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(supervisor, "POLL_S", 0.01)


type MakeChild = Callable[[str, str], Child]


@pytest.fixture
def make_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeChild:
    """A child that runs a module with this text."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    state = StateFolder(tmp_path / "state")
    state.root.mkdir()

    def make(name: str, text: str) -> Child:
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
        return Child(name, [name], {}, state.logs / f"{name}.log", ProcessRecord(state))

    return make


async def start_again(part: Part) -> None:
    assert isinstance(part, Child)
    part.start()


def pid_of(child: Child) -> int | None:
    return child.process.pid if child.process is not None and child.process.poll() is None else None


def test_supervised_parts_come_back_later_and_later() -> None:
    deaths = Deaths()
    assert [deaths.another(at_s) for at_s in (0.0, 1.0, 3.0, 7.0, 12.0)] == [0.01, 0.02, 0.04, 0.08, None]


def test_supervised_deaths_are_forgotten_after_a_minute() -> None:
    deaths = Deaths()
    assert [deaths.another(at_s) for at_s in (0.0, 30.0, 61.0, 92.0, 123.0)] == [0.01, 0.02, 0.02, 0.02, 0.02]


@pytest.mark.server
async def test_supervised_child_that_is_killed_runs_again_and_it_is_said(make_child: MakeChild) -> None:
    killed, other, out = make_child("killed", MODULE), make_child("other", MODULE), io.StringIO()
    for child in (killed, other):
        child.start()
    supervising = asyncio.create_task(Supervisor(Progress(out), start_again).run([killed, other]))
    try:
        first, spared = pid_of(killed), pid_of(other)
        killed.kill()
        await eventually(lambda: pid_of(killed) not in (None, first))
        assert pid_of(other) == spared
        assert "killed was ended by SIGKILL; see " in out.getvalue()
        assert "the last lines" not in out.getvalue(), "none follow"
        assert "starting it again in 0.01 s (1 of at most 4 within 60 s)" in out.getvalue()
    finally:
        supervising.cancel()
        await asyncio.gather(supervising, return_exceptions=True)
        for child in (killed, other):
            await child.stop(within_s=5)


@pytest.mark.server
async def test_supervised_child_that_cannot_live_ends_it_all_with_the_reason(make_child: MakeChild) -> None:
    child, out = make_child("hopeless", "raise SystemExit('no such camera')\n"), io.StringIO()
    child.start()
    with pytest.raises(ProcessEndedError, match=r"hopeless has ended 5 times within 60 s: giving up") as ended:
        await Supervisor(Progress(out), start_again).run([child])
    assert "no such camera" in str(ended.value)
    assert out.getvalue().count("starting it again") == 4


@pytest.mark.server
async def test_disk_full_is_no_fault_of_a_supervised_part(make_child: MakeChild) -> None:
    child, out, room = make_child("stores", MODULE), io.StringIO(), [True]
    child.start()

    def waited_more_than(times: int) -> bool:
        return out.getvalue().count("the disk is full: it starts again once there is room") > times

    supervising = asyncio.create_task(Supervisor(Progress(out), start_again, lambda: room[0]).run([child]))
    try:
        for deaths in range(supervisor.MOST_DEATHS):
            room[0] = False
            child.kill()
            await eventually(partial(waited_more_than, deaths))
            assert pid_of(child) is None
            room[0] = True
            await eventually(lambda: pid_of(child) is not None)
        assert not supervising.done()
        assert "of at most" not in out.getvalue()
    finally:
        supervising.cancel()
        await asyncio.gather(supervising, return_exceptions=True)
        await child.stop(within_s=5)


@pytest.mark.server
async def test_supervised_start_that_fails_counts_as_a_death(make_child: MakeChild) -> None:
    child, out = make_child("late", MODULE), io.StringIO()
    child.start()
    child.kill()

    async def never_ready(part: Part) -> None:
        await start_again(part)
        raise ProcessEndedError("late was not ready within 60 s: no answer")

    with pytest.raises(ProcessEndedError, match="giving up"):
        await Supervisor(Progress(out), never_ready).run([child])
    assert out.getvalue().count("was not ready") == 4
    assert pid_of(child) is None

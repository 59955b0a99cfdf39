"""Ctrl-C once, passed on twice, and twice."""

import asyncio
import os
import signal

import pytest

from local.platform.stopping import KILLED, Stopping, run_stoppable


def interrupt(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_stops_in_order(number: int) -> None:
    said, cleaned = list[str](), list[str]()

    async def work() -> int:
        try:
            interrupt(number)
            await asyncio.Event().wait()
        finally:
            cleaned.append("yes")
        return 1

    assert run_stoppable(work(), Stopping(said.append), stopped_status=0) == 0
    assert cleaned == ["yes"]
    assert said == ["stopping in order (once more: kill everything)"]


def test_a_signal_that_is_passed_on_is_one_wish() -> None:
    killed = list[str]()
    stopping = Stopping(lambda _: None, kill=lambda: killed.append("yes"))

    async def work() -> int:
        try:
            interrupt()
            await asyncio.Event().wait()
        finally:
            interrupt(signal.SIGTERM)
            await asyncio.sleep(0)
        return 1

    assert run_stoppable(work(), stopping, stopped_status=0) == 0
    assert killed == []


def test_a_second_signal_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.platform.stopping.SAME_WITHIN_S", 0.2)
    hung = asyncio.Event()
    stopping = Stopping(lambda _: None, kill=hung.set)

    async def work() -> int:
        try:
            interrupt()
            await asyncio.Event().wait()
        finally:
            asyncio.get_running_loop().call_later(0.3, interrupt)
            await hung.wait()
        return 1

    assert run_stoppable(work(), stopping, stopped_status=0) == KILLED


def test_work_that_ends_by_itself_gives_its_own_status() -> None:
    async def work() -> int:
        return 3

    assert run_stoppable(work(), Stopping(lambda _: None), stopped_status=0) == 3

"""Tasks beside an API: none dies unnoticed, and all stop in the order that the service states."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from vonggac.http import background
from vonggac.http.background import TaskDiedError, TaskSupervisor, run_unless
from vonggac.testing import eventually


async def forever(name: str, ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def fail() -> None:
    raise ValueError


async def test_a_task_that_dies_is_logged_fails_readiness_and_ends_the_process() -> None:
    deaths: list[bool] = []
    tasks = TaskSupervisor(lambda: deaths.append(True))
    with capture_logs() as logs:
        tasks.start("lives", forever("lives", []))
        assert await tasks.check() is None
        tasks.start("relay", fail())
        await eventually(lambda: deaths == [True])
    assert await tasks.check() == "the task relay has died of ValueError"
    assert [(entry["event"], entry["task"]) for entry in logs] == [("background_task_died", "relay")]
    await tasks.stop_all()
    assert deaths == [True]


async def test_a_task_that_returns_before_it_is_stopped_is_a_death_too() -> None:
    deaths: list[bool] = []
    tasks = TaskSupervisor(lambda: deaths.append(True))
    tasks.start("feed", asyncio.sleep(0))
    await eventually(lambda: deaths == [True])
    assert await tasks.check() == "the task feed has ended"
    await tasks.stop_all()


async def test_without_more_said_a_death_asks_the_process_to_stop_in_order() -> None:
    asked: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    try:
        tasks = TaskSupervisor()
        tasks.start("relay", fail())
        await eventually(lambda: asked == [signal.SIGTERM])
        await tasks.stop_all()
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_whoever_runs_until_a_stop_gets_the_error_of_the_task_that_died() -> None:
    tasks = TaskSupervisor(on_death=None)
    tasks.start("relay", fail())
    with pytest.raises(TaskDiedError, match="the task relay has died of ValueError") as caught:
        await tasks.run_until(asyncio.Event())
    assert isinstance(caught.value.__cause__, ValueError)
    await tasks.stop_all()


async def test_readiness_names_the_task_that_died_within_a_supervised_task() -> None:
    async def work() -> None:
        within = TaskSupervisor(on_death=None)
        within.start("relay", fail())
        await within.run_until(asyncio.Event())

    deaths: list[bool] = []
    tasks = TaskSupervisor(lambda: deaths.append(True))
    tasks.start("forwarder", work())
    await eventually(lambda: deaths == [True])
    assert await tasks.check() == "the task relay has died of ValueError"
    await tasks.stop_all()


async def test_running_ends_when_the_stop_is_asked_for() -> None:
    ended: list[str] = []
    tasks, stopped = TaskSupervisor(on_death=None), asyncio.Event()
    tasks.start("relay", forever("relay", ended))
    running = asyncio.create_task(tasks.run_until(stopped))
    stopped.set()
    await running
    assert ended == []
    await tasks.stop_all()
    assert ended == ["relay"]


async def test_tasks_stop_in_the_reverse_of_the_order_in_which_they_started() -> None:
    ended: list[str] = []
    tasks = TaskSupervisor(on_death=None)
    for name in ("send", "beat", "work"):
        tasks.start(name, forever(name, ended))
    await asyncio.sleep(0)
    await tasks.stop_all(keep={"send"})
    assert ended == ["work", "beat"]
    await tasks.stop_all()
    assert ended == ["work", "beat", "send"]


async def test_tasks_that_are_named_stop_first_and_together() -> None:
    ended: list[str] = []
    tasks = TaskSupervisor(on_death=None)
    stops = {name: asyncio.Event() for name in ("probe", "verify")}

    def ask(name: str) -> Callable[[], None]:
        def asked() -> None:
            ended.append(f"{name} asked")
            stops[name].set()

        return asked

    async def work(name: str) -> None:
        await stops[name].wait()
        ended.append(f"{name} returned")

    for name in stops:
        tasks.start(name, work(name), ask_to_stop=ask(name))
    tasks.start("beat", forever("beat", ended))
    await asyncio.sleep(0)
    await tasks.stop("probe", "verify")
    assert ended == ["probe asked", "verify asked", "probe returned", "verify returned"]
    await tasks.stop_all()
    assert ended[4:] == ["beat"]


async def test_a_task_that_does_not_return_in_time_is_cancelled() -> None:
    ended: list[str] = []
    tasks = TaskSupervisor(on_death=None)
    tasks.start("work", forever("work", ended), ask_to_stop=lambda: None, stop_within_s=0.05)
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await tasks.stop_all()
    assert ended == ["work"]
    assert [(entry["event"], entry["within_s"]) for entry in logs] == [("background_task_late", 0.05)]


async def test_a_task_that_cannot_be_cancelled_does_not_hold_the_stop_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "CANCEL_WITHIN_S", 0.05)
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await release.wait()

    tasks = TaskSupervisor(on_death=None)
    tasks.start("work", stubborn())
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await tasks.stop_all()
    assert [entry["event"] for entry in logs] == ["background_task_late"]
    release.set()
    await eventually(lambda: "work" not in {task.get_name() for task in asyncio.all_tasks()})


async def test_an_error_while_a_task_stops_is_logged() -> None:
    async def fail_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError

    tasks = TaskSupervisor(on_death=None)
    tasks.start("work", fail_at_the_end())
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await tasks.stop_all()
    assert [(entry["event"], entry["task"]) for entry in logs] == [("background_task_failed", "work")]
    assert await tasks.check() is None


async def test_work_runs_to_its_end_unless_a_stop_comes_first() -> None:
    ended: list[str] = []
    stopped = asyncio.Event()
    assert await run_unless(stopped, asyncio.sleep(0))
    with pytest.raises(ValueError):
        await run_unless(stopped, fail())
    running = asyncio.create_task(run_unless(stopped, forever("connect", ended)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    stopped.set()
    assert not await running
    assert ended == ["connect"]

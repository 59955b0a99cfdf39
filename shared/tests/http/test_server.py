"""A service that is started and stopped, as a process of its own."""

import subprocess
import sys

import pytest

SERVICE = """
import asyncio, gc, os, signal
from contextlib import asynccontextmanager
from fastapi import FastAPI
from vonggac.http.server import run

@asynccontextmanager
async def lifespan(app):
    print(gc.get_freeze_count(), gc.isenabled(), flush=True)
    asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGTERM)
    yield
    print("ended in order", flush=True)

gc.disable()
app = FastAPI(lifespan=lifespan)
run(app, host="127.0.0.1", port=0)
"""


@pytest.mark.server
def test_what_was_imported_is_left_out_of_the_search_for_garbage_which_begins_when_it_serves() -> None:
    done = subprocess.run([sys.executable, "-c", SERVICE], capture_output=True, text=True, timeout=60, check=True)
    [frozen, enabled], *rest = (line.split(" ") for line in done.stdout.splitlines())
    assert int(frozen) > 10_000
    assert enabled == "True"
    assert rest == [["ended", "in", "order"]]


STUCK = (
    SERVICE.replace(
        "    yield\n",
        """    asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)
    stuck = asyncio.create_task(swallow())
    yield
""",
    )
    .replace(
        "@asynccontextmanager",
        """async def swallow():
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            pass

@asynccontextmanager""",
    )
    .replace("import asyncio, gc", "import asyncio, time, gc")
)


@pytest.mark.server
def test_a_stop_is_over_though_a_thread_and_a_task_do_not_end() -> None:
    done = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "ended in order" in done.stdout) == (1, True), done.stderr
    assert "stop_overdue" in done.stdout + done.stderr


LINGERING = SERVICE.replace(
    "    yield\n", "    threading.Thread(target=time.sleep, args=(600,), name='lingering').start()\n    yield\n"
).replace("import asyncio, gc", "import asyncio, threading, time, gc")


@pytest.mark.server
def test_a_process_is_over_though_a_thread_that_nobody_knows_does_not_end() -> None:
    done = subprocess.run([sys.executable, "-c", LINGERING], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "ended in order" in done.stdout) == (1, True), done.stderr
    assert "lingering" in done.stdout + done.stderr

"""The processes that unpack streams, without a camera."""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from forwarder.relay.demux.pool import RemuxPool, StreamEnd
from forwarder.relay.demux.request import RemuxRequest
from vonggac.net.errors import PeerError
from vonggac.testing import eventually
from vonggac.testing.processes import is_filtered

pytestmark = pytest.mark.server


class End(StreamEnd):
    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set_result(None)


async def test_a_death_that_is_seen_together_with_the_end_of_the_answers_is_counted_and_is_no_mistake() -> None:
    mistakes: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: mistakes.append(context))
    pool = RemuxPool()
    end = await pool.open(RemuxRequest("mpegts"), End)
    [process_id] = pool.process_ids
    # The loop stands still meanwhile, so that it sees both at once.
    os.kill(process_id, signal.SIGKILL)
    os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222
    await eventually(end.gone.done)
    await pool.close()
    assert (pool.process_ids, pool.died) == ([], 1)
    del end
    gc.collect()
    assert mistakes == []


async def test_a_stream_that_no_process_took_keeps_no_room_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a process does not read, and its socket is full."""
    pool = RemuxPool(streams_per_process=1)

    def full(*_arguments: object) -> int:
        raise BlockingIOError

    with monkeypatch.context() as patched:
        patched.setattr(socket, "send_fds", full)
        with pytest.raises(PeerError):
            await pool.open(RemuxRequest("mpegts"), End)
    processes = pool.process_ids
    await pool.open(RemuxRequest("mpegts"), End)
    used = pool.process_ids
    await pool.close()
    assert used == processes


async def test_sandbox_holds_for_a_process_that_unpacks() -> None:
    pool = RemuxPool()
    await pool.open(RemuxRequest("mpegts"), End)
    [process_id] = pool.process_ids
    await eventually(lambda: is_filtered(process_id), within_s=20)
    await pool.close()


def test_a_process_loads_nothing_that_it_does_not_need() -> None:
    program = "import sys, forwarder.relay.demux.child; sys.exit(not {'pydantic', 'structlog'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

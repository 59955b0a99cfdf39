"""The embedded server takes the streams over that lie in no account of a name."""

import subprocess
from pathlib import Path

import pytest

from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.embedded.nats import nats_server_binary
from vonggac.embedded.process import answers
from vonggac.events import subjects
from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.server


def start_plain(server: NatsServer) -> "subprocess.Popen[bytes]":
    """In its place, without accounts."""
    command = [nats_server_binary(), "-a", "127.0.0.1", "-p", str(server.port), "-js", "-sd", str(server.store)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def test_accounts_come_to_the_streams_of_a_folder_from_before_them(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, free_port(), anonymous=False)
    before = start_plain(server)
    try:
        await eventually(lambda: answers(server.port), within_s=20)
        client = await connect_once(server.url, name="before")
        await topology.declare(client.jetstream())
        await client.jetstream().publish(subjects.camera_observation("a"), b"{}")
        await client.close()
    finally:
        before.terminate()
        before.wait(20)
    for _ in range(2):
        server.start()
        try:
            setup = await connect_once(server.url, name="now", user="setup", password=server.password("setup"))
            state = (await setup.jetstream().stream_info(topology.OBSERVATIONS)).state
            assert (state.messages, state.last_seq) == (1, 1)
            assert await topology.declare(setup.jetstream()) == []
            await setup.close()
        finally:
            server.stop()

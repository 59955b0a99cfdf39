import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest


@pytest.fixture
def full_backlog_port() -> Iterator[int]:
    """A port whose accept queue is full and which nobody empties: new connections get no answer (Linux)."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]

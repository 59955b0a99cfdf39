"""The embedded PostgreSQL and nats-server as parts of the platform: started in a thread, recorded, stopped in order."""

import asyncio
import signal

from local.platform.process import ProcessEndedError, tail, to_the_end
from local.platform.state import ProcessRecord
from vonggac.embedded import NatsServer, PostgresServer


class Server:
    """One embedded server."""

    def __init__(self, name: str, server: PostgresServer | NatsServer, record: ProcessRecord) -> None:
        self.name, self.server = name, server
        self._record, self._stopping = record, False
        self._stop_signal = signal.SIGINT if isinstance(server, PostgresServer) else signal.SIGTERM

    async def start(self) -> None:
        """Start it and wait until it answers. Raises ServerError."""
        await to_the_end(asyncio.to_thread(self.server.start))
        assert self.server.process is not None
        self._record.record_started(self.name, self.server.process.pid, self._stop_signal)

    def require_running(self) -> None:
        """Raise ProcessEndedError when it was started and has ended unasked."""
        process = self.server.process
        status = process.poll() if process and not self._stopping else None
        if status is not None:
            msg = (
                f"{self.name} ended with status {status}; the last lines of {self.server.log}:\n{tail(self.server.log)}"
            )
            raise ProcessEndedError(msg)

    async def stop(self) -> None:
        """Stop it in order; what it had written is safe."""
        self._stopping = True
        try:
            await to_the_end(asyncio.to_thread(self.server.stop))
        finally:
            self._stopping = False
        self._record.record_ended(self.name)

    def kill(self) -> None:
        """SIGKILL, now."""
        process = self.server.process
        if process is not None and process.poll() is None:
            process.kill()

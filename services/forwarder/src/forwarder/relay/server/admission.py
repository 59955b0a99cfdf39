"""Who is at a connection, as its login shows, and what is refused to it: 401 before a login whatever it asks for, 404
after it for all that is not the account's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Protocol

from forwarder.domain.serving.tickets import Passed
from forwarder.relay.passing.accounts import REALM, CentreAccount
from forwarder.relay.passing.fleet import Fleet, RemoteOffer
from forwarder.relay.server.offers import Offer, Offers, find_stream
from forwarder.relay.server.refused_logins import RefusedLogins
from forwarder.relay.server.turned_away import Reason, TurnedAway
from vonggac.events.causes import Cause
from vonggac.logins.check_tickets import CHECK_HEADER
from vonggac.net.errors import MalformedError
from vonggac.net.http_auth import parse_authorization
from vonggac.net.url import Credentials
from vonggac.rtsp.server.login import Account, Login
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.server.session_state import target_of
from vonggac.rtsp.wire.messages import Request

MAX_USERNAME = 100
ASKING = frozenset({"DESCRIBE", "SETUP"})
RETRY_AFTER_S = 5
RETRY_AFTER = ("Retry-After", str(RETRY_AFTER_S))

type Camera = Offer | RemoteOffer
"""What is at a path: held by this worker, or by another one."""


@dataclass(slots=True)
class Asker:
    """Who is at the connection. `agent`: what its software calls itself; `tls_version`: None without TLS."""

    peer: str
    tls_version: str | None
    agent: str | None = None
    is_check: bool = False
    """Not the centre: a prober plays what the centre could, and stands in no state, refusal or limit of its."""

    def __str__(self) -> str:
        return f"{self.peer}, {self.agent}" if self.agent else self.peer


class Served:
    """What centres may ask this worker for: what it holds, and what its fleet does."""

    def __init__(self, offers: Offers, fleet: Fleet | None) -> None:
        self.offers, self.fleet = offers, fleet

    def find(self, target: str | None) -> Camera | None:
        """Find what is at the path of a stream or of one of its tracks."""
        if target is None:
            return None
        path = find_stream(target)
        return self.offers.find(path) or (self.fleet.find(path) if self.fleet is not None else None)

    def find_account(self, username: str) -> CentreAccount | None:
        """All cameras of an account have its login."""
        return self.offers.find_of(username) or (self.fleet.find_account(username) if self.fleet is not None else None)


class Admission(Protocol):
    """Of one connection."""

    admitted: bool

    def find_denial(self, request: Request, camera: Camera | None, now_s: float) -> Reply | None:
        """Return the answer to a request that is refused, None when it may pass."""

    def end(self) -> None:
        """Note that the connection has ended."""


class LoginAdmission:
    """By Digest, or Basic inside TLS."""

    def __init__(
        self,
        served: Served,
        refused_logins: RefusedLogins,
        stranger: Credentials,
        asker: Asker,
        now: Callable[[], datetime],
        turned_away: TurnedAway,
    ) -> None:
        """`stranger`: a login that nobody knows; unknown accounts are judged by it, in the same time."""
        self._served, self._refused_logins, self._asker, self._now = served, refused_logins, asker, now
        self._turned_away = turned_away
        self._stranger = Account(REALM, stranger)
        self._login = Login(self._stranger, secure=asker.tls_version is not None)
        self._challenged: Camera | None = None
        """Asked for without any login so far."""
        self.admitted = False

    def find_denial(self, request: Request, camera: Camera | None, now_s: float) -> Reply | None:
        """Find the answer to a request that is refused: 401 before login, whatever it is; 404 for what is not its."""
        asker, refused_logins = self._asker, self._refused_logins
        given = request.headers.get("Authorization")
        username = _username_of(given)
        if given is not None and (rest_s := refused_logins.rest_s(username, asker.peer, now_s)) > 0:
            self._turned_away[Reason.RESTING] += 1
            return Reply(403, (("Retry-After", str(ceil(rest_s))),), close=True)
        account: CentreAccount | None = self._served.find_account(username) if given is not None else camera
        if camera is not None and camera.serving.account == username:
            account = camera
        self._login.expect(account.account(self._now()) if account is not None else self._stranger)
        failures = self._login.failures
        denial = self._login.denial(request, now_s)
        if self._login.failures > failures:
            refused_logins.count_failure(username, asker.peer, now_s)
            self._turned_away[Reason.AUTH_FAILED] += 1
            self._challenged = None
            if camera is not None:
                refuse(camera, Cause.AUTH_FAILED, asker)
        elif denial is not None and given is None and request.method in ASKING:
            self._challenged = camera
        if denial is not None:
            return denial
        assert account is not None, "nobody logs in as a stranger"
        self._challenged = None
        denial = find_refusal(account, camera, asker, self._turned_away)
        self.admitted = self.admitted or denial is None or denial.status == 404
        return denial

    def end(self) -> None:
        """Note that the connection has ended: who was asked for a login and gave none has failed."""
        if self._challenged is not None:
            refuse(self._challenged, Cause.AUTH_FAILED, self._asker, "no login")


class PassedAdmission:
    """By the worker in front, where the centre has logged in: for one camera of one account."""

    admitted = True

    def __init__(self, passed: Passed, asker: Asker, turned_away: TurnedAway) -> None:
        self._passed, self._asker, self._turned_away = passed, asker, turned_away

    def find_denial(self, request: Request, camera: Camera | None, now_s: float) -> Reply | None:
        """404 for what is not the account's; another camera of it may be had by another connection."""
        passed = self._passed
        if camera is None:
            return None
        if camera.serving.account != passed.account:
            return Reply(404)
        if camera.path != passed.path or isinstance(camera, RemoteOffer):
            return Reply(503, (RETRY_AFTER,), close=True)
        return find_refusal(camera, camera, self._asker, self._turned_away)

    def end(self) -> None:
        """Whoever gave no login did not come as far as this."""


def find_refusal(account: CentreAccount, camera: Camera | None, asker: Asker, turned_away: TurnedAway) -> Reply | None:
    """Of somebody who knows the password: where it comes from, whether by TLS, and whether the camera is its."""
    mine = camera if camera is not None and camera.serving.account == account.serving.account else None
    if not asker.is_check and not account.admits(asker.peer):
        turned_away[Reason.ADDRESS_NOT_ALLOWED] += 1
        if mine is not None:
            mine.on_refused(Cause.ADDRESS_NOT_ALLOWED, str(asker))
        return Reply(403, close=True)
    if account.needs_tls and asker.tls_version is None:
        turned_away[Reason.TLS_REQUIRED] += 1
        if mine is not None:
            refuse(mine, Cause.TLS_REQUIRED, asker)
        return Reply(403, close=True)
    return Reply(404) if camera is not None and mine is None else None


def shows_ticket(request: Request, use: Callable[[str, str], bool]) -> bool:
    """Whether a request begins a check of ours. `use` takes the ticket and the stream's path."""
    ticket, path = request.headers.get(CHECK_HEADER), target_of(request.uri)
    return ticket is not None and path is not None and use(ticket, path)


def note_request(camera: Camera, asker: Asker) -> None:
    """Note for the delivery that its centre asks."""
    if not asker.is_check:
        camera.on_request(str(asker))


def refuse(camera: Camera, why: Cause, asker: Asker, note: str = "") -> None:
    """Note it for the delivery. Who comes from elsewhere is a stranger, whatever camera he names."""
    if not asker.is_check and camera.admits(asker.peer):
        camera.on_refused(why, f"{asker}{f' ({note})' if note else ''}")


def _username_of(given: str | None) -> str:
    try:
        return parse_authorization(given).parameters.get("username", "")[:MAX_USERNAME] if given else ""
    except MalformedError:
        return ""

"""How centres that pull log in, also where no camera of theirs is held: the bucket that all forwarders share."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from vonggac.auth.sealing import SecretUnreadableError, Unsealer
from vonggac.bus import Bus, Outgoing
from vonggac.bus.bucket_cache import BucketCache
from vonggac.bus.declared import topology
from vonggac.events.forwarder import ServedAccount
from vonggac.events.inventory import PlannedDelivery, ServingPlan, served_url
from vonggac.events.inventory.serving import ServedLogin, ServedTls
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.url import Credentials
from vonggac.rtsp.server.login import Account, Scheme
from vonggac.telemetry import get_logger

log = get_logger(__name__)

REALM = "Vong Gac"
_SCHEMES: dict[ServedLogin, Scheme] = {
    ServedLogin.MD5: "digest",
    ServedLogin.SHA256: "digest-sha256",
    ServedLogin.BOTH: "digest-both",
}


@dataclass(eq=False)
class CentreAccount:
    """Who may log in, from where and how."""

    serving: ServingPlan
    credentials: Credentials
    previous: Credentials | None

    def admits(self, peer: str) -> bool:
        """Whether the centre may come from this address."""
        return self.serving.anywhere or AllowedNetworks.parse(self.serving.source_networks).allow(peer)

    @property
    def needs_tls(self) -> bool:
        return self.serving.tls is ServedTls.REQUIRED

    def account(self, now: datetime) -> Account:
        """Who may log in at this moment. After a rotation the password before it is good for a while."""
        until = self.serving.previous_until
        previous = self.previous if until is not None and now < until else None
        return Account(
            REALM,
            self.credentials,
            _SCHEMES[self.serving.login],
            basic_too=self.serving.basic,
            previous=previous,
        )


class ServedAccounts:
    """The bucket: `note_plan` keeps it true, `find` and `find_destination` read it."""

    def __init__(self, bus: Bus, outgoing: Outgoing, unsealer: Unsealer) -> None:
        self._outgoing, self._unsealer = outgoing, unsealer
        self._of_destination: dict[UUID, CentreAccount] = {}
        self._of_username: dict[str, UUID] = {}
        self._cache = BucketCache(
            bus,
            topology.SERVED_ACCOUNTS,
            parse_key=UUID,
            parse_value=ServedAccount.model_validate_json,
            on_change=self._changed,
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._cache.run()

    def note_plan(self, planned: PlannedDelivery) -> None:
        """Publish how this worker serves a camera of the destination: the others let its centre log in by it too.

        The last worker that says so wins, and each of them hears of a changed plan.
        """
        if planned.serving is None or planned.secret is None:
            return
        key = planned.destination_id
        account = ServedAccount(
            url=served_url(planned.destination_code), serving=planned.serving, secret=planned.secret
        )
        if self._cache.values.get(key) != account:
            # Until the server has stored it, the next camera of this destination need not write it again.
            self._cache.values[key] = account
            self._changed(key, account)
            self._outgoing.queue_value(topology.SERVED_ACCOUNTS, key, account.model_dump_json().encode())

    def find(self, destination_id: UUID) -> CentreAccount | None:
        """None where nobody has served it so far, or its box cannot be opened."""
        return self._of_destination.get(destination_id)

    def find_destination(self, username: str) -> UUID | None:
        """Whose account it is."""
        return self._of_username.get(username)

    def _changed(self, destination_id: UUID, account: ServedAccount | None) -> None:
        before = self._of_destination.pop(destination_id, None)
        if before is not None and self._of_username.get(before.serving.account) == destination_id:
            del self._of_username[before.serving.account]
        if account is None:
            return
        previous = account.serving.previous_secret
        try:
            credentials = self._unsealer.unseal(account.secret, account.url)
            opened = self._unsealer.unseal(previous, account.url) if previous is not None else None
        except SecretUnreadableError as error:
            log.warning("served_account_unusable", destination_id=str(destination_id), cause=error.cause)
            return
        self._of_destination[destination_id] = CentreAccount(account.serving, credentials, opened)
        self._of_username[account.serving.account] = destination_id

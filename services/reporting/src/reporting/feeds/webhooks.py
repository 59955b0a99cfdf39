"""Delivers notices to webhooks: the supervisor that alone retries, and one attempt.

Delivery is at least once, with the event's id: a receiver that has seen the id has seen the notice. Notices of one
thing come in order. An address is resolved, checked against the allowed networks, and that address is connected to.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy.exc import SQLAlchemyError

from reporting import metrics
from reporting.feeds.backoff import next_delay
from reporting.feeds.sealing import Seal, SealBrokenError
from reporting.feeds.signing import signed_headers
from reporting.storage.sending import deliveries, webhooks
from vonggac.database import Database
from vonggac.events.causes import Cause
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.errors import PeerError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

ANSWER_WITHIN_S = 15.0
RESOLVE_WITHIN_S = 5.0
LEASE = timedelta(seconds=60)
POLL_S = 1.0
AT_ONCE = 8
"""Attempts to one receiver. Another one waits for none of them."""
NO_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    HTTP_STATUS = "http_status"
    """The receiver answered, and not with 2xx; redirects are not followed."""
    TIMEOUT = "timeout"
    REFUSED = "refused"
    """No connection, or it broke."""
    TLS = "tls"
    DNS = "dns"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - an outcome, not a secret


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, as it is kept."""

    outcome: Outcome
    duration_ms: int
    http_status: int | None = None
    asked_s: float | None = None
    """Seconds that the receiver asks to wait."""


class WebhookSender:
    """The task that delivers. `clock` gives aware UTC."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        allowed: AllowedNetworks,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        verify: Any = None,
    ) -> None:
        """`verify`: as httpx has it; None trusts the public authorities, or those of SSL_CERT_FILE."""
        self._database, self._seal, self._allowed, self._clock = database, seal, allowed, clock
        self._verify = httpx.create_ssl_context() if verify is None else verify
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something may be due now."""
        self._woken.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Deliver from `ready` on until cancelled, to each receiver at its own pace; raises only bugs."""
        await ready.wait()
        under_way: set[UUID] = set()

        async def all_to(client: httpx.AsyncClient, webhook_id: UUID) -> None:
            try:
                while await self._deliver_to(client, webhook_id):
                    pass
            except* (SQLAlchemyError, OSError) as errors:
                # What was sent meanwhile and could not be recorded comes again once its lease is over.
                log.warning("webhooks_not_read", error=type(errors.exceptions[0]).__name__)
            finally:
                under_way.discard(webhook_id)

        client = httpx.AsyncClient(
            timeout=ANSWER_WITHIN_S, follow_redirects=False, trust_env=False, verify=self._verify, limits=NO_LIMITS
        )
        async with client, asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                try:
                    due = await self._due()
                except (SQLAlchemyError, OSError) as error:
                    log.warning("webhooks_not_read", error=type(error).__name__)
                    due = []
                for webhook_id in due:
                    if webhook_id not in under_way:
                        under_way.add(webhook_id)
                        group.create_task(all_to(client, webhook_id))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), POLL_S)

    async def deliver(self, client: httpx.AsyncClient) -> int:
        """Claim what is due and try each once; returns how many there were. Raises what PostgreSQL raises."""
        return sum([await self._deliver_to(client, webhook_id) for webhook_id in await self._due()])

    async def _due(self) -> list[UUID]:
        async with self._database.transaction() as session:
            metrics.WEBHOOKS_WAITING.set(await deliveries.waiting(session))
            return await deliveries.due(session, self._clock())

    async def _deliver_to(self, client: httpx.AsyncClient, webhook_id: UUID) -> int:
        now = self._clock()
        async with self._database.transaction() as session:
            claimed = await deliveries.claim(session, webhook_id, now, now + LEASE)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(row: Any) -> None:
            async with at_once:
                await self._record(row, await self._attempt(client, row))

        async with asyncio.TaskGroup() as group:
            for row in claimed:
                group.create_task(one(row))
        return len(claimed)

    async def _attempt(self, client: httpx.AsyncClient, row: Any) -> Attempt:
        now, began = self._clock(), time.perf_counter()

        def ended(outcome: Outcome, status: int | None = None, asked_s: float | None = None) -> Attempt:
            return Attempt(outcome, round((time.perf_counter() - began) * 1000), status, asked_s)

        try:
            keys = [self._seal.open(row.secret)]
            if row.previous_secret is not None and row.previous_until > now:
                keys.append(self._seal.open(row.previous_secret))
        except SealBrokenError:
            return ended(Outcome.SECRET_UNREADABLE)
        headers = signed_headers(keys, str(row.event_id), now, row.body) | {"content-type": CONTENT_TYPE}
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                status, asked_s = await self._post(client, row.url, row.body, headers)
        except PeerError as error:
            return ended(Outcome.DNS if error.cause is Cause.DNS else Outcome.ADDRESS_NOT_ALLOWED)
        except (TimeoutError, httpx.TimeoutException):
            return ended(Outcome.TIMEOUT)
        except (httpx.HTTPError, OSError) as error:
            return ended(Outcome.TLS if "CERTIFICATE" in str(error).upper() else Outcome.REFUSED)
        good = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        return ended(Outcome.DELIVERED if good else Outcome.HTTP_STATUS, status, asked_s)

    async def _post(
        self, client: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, float | None]:
        """Send a message; return the answer's status, and the wait that it asks for. The answer's body is not read."""
        asked = httpx.URL(url)
        port = asked.port or (443 if asked.scheme == "https" else 80)
        address = await resolve(asked.host, port, self._allowed, timeout_s=RESOLVE_WITHIN_S)
        request = client.build_request(
            "POST",
            asked.copy_with(host=address),
            content=body,
            headers={**headers, "host": asked.netloc.decode("ascii"), "user-agent": "vong-gac"},
            extensions={"sni_hostname": asked.host},
        )
        answer = await client.send(request, stream=True)
        await answer.aclose()
        asked_for = answer.headers.get("retry-after", "")
        return answer.status_code, float(asked_for) if asked_for.isdecimal() else None

    async def _record(self, row: Any, attempt: Attempt) -> None:
        now = self._clock()
        metrics.WEBHOOK_ATTEMPTS.labels(attempt.outcome.value).inc()
        values: dict[str, Any] = {}
        if attempt.outcome is Outcome.DELIVERED:
            values = {"state": "delivered", "finished_at": now}
        else:
            delay = next_delay(row.attempts - row.budget_from, attempt.asked_s)
            gone = attempt.http_status == HTTPStatus.GONE
            if delay is None or gone:
                values = {"state": "failed", "finished_at": now}
            else:
                values = {"next_attempt_at": now + delay}
            log.info(
                "webhook_attempt_failed",
                webhook_id=str(row.webhook_id),
                outcome=attempt.outcome.value,
                http_status=attempt.http_status,
                attempt=row.attempts,
            )
        kept = {
            "at": now,
            "duration_ms": attempt.duration_ms,
            "outcome": attempt.outcome.value,
            "http_status": attempt.http_status,
        }
        async with self._database.transaction() as session:
            await deliveries.record_attempt(session, row.id, row.attempts, kept, values)
            if attempt.http_status == HTTPStatus.GONE:
                reason = "the receiver answered 410 Gone"
                await webhooks.change(
                    session, row.webhook_id, {"enabled": False, "disabled_because": reason}, now, "reporting"
                )
                log.warning("webhook_disabled", webhook_id=str(row.webhook_id), reason=reason)

"""The self-check: play the address that a centre pulls from, from outside the worker that serves it.

It shows a ticket of the fleet, so that the worker counts it neither as the centre nor to its sessions. One attempt at
each address; a failure is a finding.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

from cryptography.x509 import load_der_x509_certificate

from prober.domain.self_check import (
    WAITING_AGAIN_S,
    WAITS,
    addresses_of,
    due_in_s,
    judge_failure,
    judge_keyframes,
    worst_of,
)
from prober.domain.verification import Failure, Finding
from prober.messaging import Announcer, VerificationResults
from prober.probes.camera.observer import Hold
from prober.probes.verification.centre_session import Source
from prober.probes.verification.readback import ReadBack
from prober.probes.verification.scheduler import kept_in_progress
from prober.probes.verification.verifier import Verifier
from vonggac.auth import Credentials, SecretUnreadableError, Unsealer
from vonggac.events.forwarder import DeliveryState, KeyframeNote
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.inventory.serving import SelfCheck, SelfCheckOutcome
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict
from vonggac.logins.check_tickets import CHECK_HEADER, PURPOSE, write_check_ticket
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.net.url import RtspUrl
from vonggac.telemetry import get_logger, redact

log = get_logger(__name__)

OPEN_WITHIN_S = 6.0
PICTURE_WITHIN_S = 12.0
"""Of a group of pictures that is kept, the first keyframe comes at once; it is the next one that is compared."""
NOTES_AGAIN_S = 0.5
CERTIFICATE_WITHIN_S = 3.0
MAX_DETAIL = 500


class SelfChecks:
    """Checks the addresses of deliveries that wait for their centre, each in its time. One per process."""

    def __init__(
        self,
        *,
        worker_id: str,
        verifier: Verifier,
        results: VerificationResults,
        announcer: Announcer,
        unsealer: Unsealer,
        addresses: Mapping[str, str],
        trust: TlsPolicy = SYSTEM_AUTHORITIES,
    ) -> None:
        """`addresses`: scheme to `scheme://host:port`; none: nothing is checked, and nobody is named."""
        self._worker_id, self._verifier, self._results, self._announcer = worker_id, verifier, results, announcer
        self._unsealer, self._addresses, self._trust = unsealer, addresses, trust
        self._ticket_key = unsealer.derive_key(PURPOSE)
        self._checking: set[UUID] = set()
        self._latest: dict[UUID, DeliveryVerifiedV1] = {}
        """Of deliveries that wait: the bucket has their read-backs too, which say nothing of this."""

    def wanted(self, camera: CameraV1) -> list[PlannedDelivery]:
        """List the deliveries of the camera whose address can be checked from here."""
        return [each for each in camera.deliveries if each.enabled and addresses_of(each, self._addresses)]

    async def check_due(self, camera: CameraV1, *, hold: Hold) -> float | None:
        """Check what is due; return after how many seconds to check again, None when there is nothing to check.

        `hold` is called while a check lasts.

        Raises NatsError, TimeoutError or OSError when NATS is away.
        """
        wanted = self.wanted(camera)
        if not wanted:
            return None
        states = await self._verifier.load_states(wanted)
        for each in wanted:
            if states[each.id] is not WAITS:
                self._latest.pop(each.id, None)
        waiting = [each for each in wanted if states[each.id] is WAITS and each.id not in self._checking]
        left_s = [WAITING_AGAIN_S]
        for delivery in waiting:
            last = self._latest.get(delivery.id) or await self._results.get(delivery.id)
            due_s = due_in_s(last, camera_revision=camera.revision, now=self._verifier.now())
            if due_s <= 0:
                async with kept_in_progress(hold):
                    await self.check(camera, delivery)
            else:
                left_s.append(due_s)
        return min(left_s)

    async def check(self, camera: CameraV1, delivery: PlannedDelivery) -> DeliveryVerifiedV1:
        """Check one delivery now, and publish what was found."""
        self._checking.add(delivery.id)
        began_s = time.monotonic()
        try:
            found = await self._check(camera, delivery)
        finally:
            self._checking.discard(delivery.id)
        fact = DeliveryVerifiedV1(
            delivery_id=delivery.id,
            camera_id=camera.id,
            destination_id=delivery.destination_id,
            camera_revision=camera.revision,
            worker_id=self._worker_id,
            observed_at=self._verifier.now(),
            verdict=VerificationVerdict.NOT_CHECKABLE,
            detail=f"the forwarder does not deliver now: {DeliveryState.WAITING_FOR_CENTRE}",
            interval_s=WAITING_AGAIN_S,
            duration_ms=round((time.monotonic() - began_s) * 1000, 1),
            self_check=found,
        )
        self._latest[delivery.id] = fact
        self._announcer.publish_verification(fact)
        log.info(
            "served_address_checked",
            delivery_id=str(delivery.id),
            outcome=found.outcome,
            cause=found.cause,
            detail=found.detail,
        )
        return fact

    async def _check(self, camera: CameraV1, delivery: PlannedDelivery) -> SelfCheck:
        addresses = addresses_of(delivery, self._addresses)
        try:
            assert delivery.secret is not None, "a plan that is served has a password"
            credentials = self._unsealer.unseal(delivery.secret, delivery.url)
        except SecretUnreadableError as error:
            return SelfCheck(
                outcome=SelfCheckOutcome.NOT_CHECKABLE, address=addresses[0], cause=error.cause, detail=str(error)
            )
        asked_at, asker = self._verifier.now(), uuid4().hex
        holder = await self._verifier.notes.request(camera.id, asker, within_s=OPEN_WITHIN_S + PICTURE_WITHIN_S)
        if isinstance(holder, Finding):
            return SelfCheck(
                outcome=SelfCheckOutcome.NOT_CHECKABLE, address=addresses[0], cause=holder.cause, detail=holder.detail
            )
        try:
            found = [await self._try(camera.id, address, credentials, asked_at) for address in addresses]
        finally:
            await self._verifier.notes.end(camera.id, asker)
        return found[worst_of([one.outcome for one in found])]

    async def _try(self, camera_id: UUID, address: str, credentials: Credentials, asked_at: datetime) -> SelfCheck:
        changed, steps = asyncio.Event(), dict[str, float]()
        url = RtspUrl.parse(address)
        ends_at = await _read_certificate_end(url) if url.secure else None
        ticket = write_check_ticket(
            self._ticket_key, url.target, self._verifier.now().timestamp(), secrets.token_hex(16)
        )
        readback = ReadBack(None, changed.set, self._verifier.now)
        source = Source(address, credentials, self._trust, ((CHECK_HEADER, ticket),))
        try:
            await readback.open(source, deadline_s=OPEN_WITHIN_S)
            failure = readback.seen.failure
            played = failure is None
            outcome = None if played else judge_failure(failure or Failure(None, ""), played=False)
            if outcome is None:
                outcome = await self._compare(camera_id, readback, changed, asked_at)
                failure = readback.seen.failure
            steps = readback.steps_ms
        finally:
            await readback.close()
        said = failure if outcome is not SelfCheckOutcome.SERVED else None
        return SelfCheck(
            outcome=outcome,
            address=address,
            cause=said.cause if said is not None else None,
            detail=redact(said.detail)[:MAX_DETAIL] if said is not None and said.detail else None,
            certificate_ends_at=ends_at,
            steps_ms=steps,
        )

    async def _compare(
        self, camera_id: UUID, readback: ReadBack, changed: asyncio.Event, asked_at: datetime
    ) -> SelfCheckOutcome:
        notes: dict[tuple[str, datetime], KeyframeNote] = {}
        ends_s = time.monotonic() + PICTURE_WITHIN_S
        while True:
            history = await self._verifier.notes.load_history(camera_id)
            if history is not None:
                notes |= {(note.hash, note.captured_at): note for note in history.keyframes}
            seen = readback.seen
            over = time.monotonic() >= ends_s or seen.failure is not None
            received = {each.hash for each in seen.keyframes}
            outcome = judge_keyframes(received, [*notes.values()], over=over, asked_at=asked_at)
            if outcome is not None:
                return outcome
            changed.clear()
            try:
                async with asyncio.timeout(NOTES_AGAIN_S):
                    await changed.wait()
            except TimeoutError:
                pass


async def _read_certificate_end(url: RtspUrl) -> datetime | None:
    """When the certificate that is shown ends, good or not; None when none is."""
    context = TlsPolicy(unverified=True).context
    try:
        async with asyncio.timeout(CERTIFICATE_WITHIN_S):
            _, writer = await asyncio.open_connection(url.host, url.port, ssl=context, server_hostname=url.host)
    except (OSError, ValueError, TimeoutError):
        return None
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return load_der_x509_certificate(shown).not_valid_after_utc.astimezone(UTC) if shown else None
    except ValueError:
        return None
    finally:
        writer.transport.abort()

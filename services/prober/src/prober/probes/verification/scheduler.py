"""From a camera to the facts on its deliveries: which are due, the read-backs, what is published.

Scheduled read-backs and those on demand go the same way.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from prober.domain.read_back_facts import READ_BACKS_PER_FACT, follow
from prober.domain.schedule import Hint, due_in_s, is_due, is_failing, next_interval_s
from prober.domain.verification import Earlier, Finding, not_checkable
from prober.messaging import Announcer, VerificationResults
from prober.metrics import ReadBackMetrics
from prober.probes.camera.observer import MAX_DETAIL, Hold
from prober.probes.verification.verifier import Verification, Verifier
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict
from vonggac.telemetry import get_logger, redact
from vonggac.telemetry.awake import Awake

log = get_logger(__name__)

HOLD_EVERY_S = topology.VERIFY_ACK_WAIT_S / 3
GRACE_S = 10.0
"""For good-byes and a slow NATS, after the longest read-back."""
LEAST_PAUSE_S = BUSY_AGAIN_S = 0.5
SAME_DELIVERY_AGAIN_S = 1.0
"""A delivery that is read back at a hint."""
NO_ROOM_AGAIN_S = 10.0
"""A delivery that failed last and finds too many others of its destination being read back comes again after this."""
NO_SESSIONS: Mapping[UUID, datetime] = MappingProxyType({})
NO_ADDRESS = not_checkable("no read-back address is planned for this delivery")


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What was published of the deliveries that were read back, and when the next one is due (from now)."""

    facts: tuple[DeliveryVerifiedV1, ...]
    next_in_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Claim:
    """Who reads deliveries of a camera back."""

    camera_id: UUID


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of deliveries before they are read back: the last read-back of each, and how it stands."""

    read_backs: dict[UUID, DeliveryVerifiedV1 | None]
    states: dict[UUID, DeliveryState | None] = field(default_factory=dict)

    def is_failing(self, delivery_id: UUID) -> bool:
        """Whether its last read-back was evidence against its destination."""
        last = self.read_backs[delivery_id]
        return last is not None and is_failing(last.verdict)

    def to_earlier(self, delivery_id: UUID, since: datetime | None) -> Earlier:
        """Extract what decides beside the next read-back. `since`: when its session began, where that is asked for."""
        last = self.read_backs[delivery_id]
        return Earlier(since, last.captured_at if last is not None else None)


def to_read_back(camera: CameraV1) -> list[PlannedDelivery]:
    """List the deliveries of the camera that are read back."""
    return list(camera.read_back)


class Verifications:
    """One per process. Never more than one round of read-backs of a camera at a time."""

    def __init__(
        self,
        *,
        worker_id: str,
        verifier: Verifier,
        results: VerificationResults,
        announcer: Announcer,
        metrics: ReadBackMetrics,
        interval_s: float,
        failing_room: int = 16,
        awake: Awake | None = None,
    ) -> None:
        """`failing_room`: read-backs at a time at one destination that failed there last; they take long."""
        self._awake, self.verifier = awake, verifier
        self.per_fact = READ_BACKS_PER_FACT
        """Of so many read-backs that say the same one is a fact."""
        self._failing_room = failing_room
        self._failing: Counter[UUID] = Counter()
        """Such read-backs that run now, by destination."""
        self._worker_id, self._results = worker_id, results
        self._announcer, self._metrics, self._interval_s = announcer, metrics, interval_s
        self._running: dict[UUID, _Claim] = {}
        """The deliveries that are read back now."""

    @property
    def longest_s(self) -> float:
        """The longest that a round takes."""
        return self.verifier.limits.longest_s

    def is_verifying(self, camera_id: UUID) -> bool:
        """Whether this process reads a delivery of the camera back now."""
        return any(claim.camera_id == camera_id for claim in self._running.values())

    def is_read_back(self, delivery_id: UUID) -> bool:
        """Whether this process reads the delivery back now."""
        return delivery_id in self._running

    @asynccontextmanager
    async def alone(self, camera: CameraV1, deliveries: Sequence[PlannedDelivery]) -> AsyncIterator[None]:
        """Wait until nobody else reads these back, and keep others out: two would be two sessions at a centre.

        Each is free again as soon as something is found of it.
        """
        ids = [delivery.id for delivery in deliveries]
        while any(map(self.is_read_back, ids)):  # noqa: ASYNC110 - rare, and soon enough
            await asyncio.sleep(BUSY_AGAIN_S)
        claim = _Claim(camera.id)
        self._running |= dict.fromkeys(ids, claim)
        try:
            yield
        finally:
            for each in ids:
                if self._running.get(each) is claim:
                    del self._running[each]

    async def verify_due(self, camera: CameraV1, *, hold: Hold) -> RoundResult:
        """Read back what is due. `hold` is called while it lasts.

        What takes long at one destination does not keep the others: they are read back again meanwhile when they are
        due. Raises NatsError, TimeoutError or OSError when NATS is away.
        """
        wanted = to_read_back(camera)
        free = [delivery for delivery in wanted if not self.is_read_back(delivery.id)]
        async with self.alone(camera, free):
            before = await self._load_before(free)
            facts, running, all_fit = await self._begin(camera, free, before)
            for delivery in free:
                if delivery not in running:
                    del self._running[delivery.id]
            facts += await self._verify_meanwhile(camera, running, free, before, hold) if running else ()
        now = self.verifier.now()
        left = [due_in_s(last, camera_revision=camera.revision, now=now) for last in before.read_backs.values()]
        if len(free) < len(wanted):
            left.append(SAME_DELIVERY_AGAIN_S)
        least_s = LEAST_PAUSE_S if all_fit else NO_ROOM_AGAIN_S
        return RoundResult(facts, max(least_s, min(left, default=self._interval_s)))

    async def _begin(
        self,
        camera: CameraV1,
        deliveries: Sequence[PlannedDelivery],
        before: Before,
    ) -> tuple[tuple[DeliveryVerifiedV1, ...], list[PlannedDelivery], bool]:
        """Find the facts on those due and not delivered, those to read back, and whether there is room for all."""
        now, revision = self.verifier.now(), camera.revision
        due = [each for each in deliveries if is_due(before.read_backs[each.id], camera_revision=revision, now=now)]
        for delivery in due:
            self._count_lateness(before.read_backs[delivery.id], revision, now)
        before.states.update(await self.verifier.load_states(due))
        idle = self.verifier.not_running(due, before.states)
        stopped = {each.delivery.id for each in idle}
        able = [delivery for delivery in due if delivery.id not in stopped]
        running = self._with_room(able, before)
        return self._publish(camera, idle, before), running, len(running) == len(able)

    async def _verify_meanwhile(
        self,
        camera: CameraV1,
        running: Sequence[PlannedDelivery],
        deliveries: Sequence[PlannedDelivery],
        before: Before,
        hold: Hold,
    ) -> tuple[DeliveryVerifiedV1, ...]:
        """One read-back of each that is `running`, and before the last of them is over one of each delivery whenever it
        is due.

        None waits for another: what takes long at two centres may be due at different times. For as long as the longest
        read-back takes others begin; then the round ends with those that run.
        """
        facts: tuple[DeliveryVerifiedV1, ...] = ()
        until = asyncio.get_running_loop().time() + self.longest_s
        running_now = {asyncio.create_task(self._verify(camera, running, before, hold, patient=True))}
        try:
            while running_now:
                done, running_now = await asyncio.wait(
                    running_now, timeout=BUSY_AGAIN_S, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    facts += task.result()
                found = [delivery for delivery in deliveries if not self.is_read_back(delivery.id)]
                if running_now and found and asyncio.get_running_loop().time() < until:
                    running_now.add(asyncio.create_task(self._verify_again(camera, found, before, hold)))
            return facts
        finally:
            for task in running_now:
                task.cancel()
            await asyncio.gather(*running_now, return_exceptions=True)

    async def _verify_again(
        self, camera: CameraV1, found: Sequence[PlannedDelivery], before: Before, hold: Hold
    ) -> tuple[DeliveryVerifiedV1, ...]:
        """Read back those of these that are due by now."""
        async with self.alone(camera, found):
            facts, again, _ = await self._begin(camera, found, before)
            for delivery in found:
                if delivery not in again:
                    del self._running[delivery.id]
            return facts + (await self._verify(camera, again, before, hold, patient=True) if again else ())

    async def verify_on_demand(self, camera: CameraV1, deliveries: Sequence[PlannedDelivery]) -> RoundResult:
        """Read these back now, due or not; a delivery without a read-back address gets its finding too.

        Raises NatsError, TimeoutError or OSError when NATS is away.
        """
        async with self.alone(camera, deliveries):
            before = await self._load_before(deliveries)
            before.states.update(await self.verifier.load_states(deliveries))
            able = [delivery for delivery in deliveries if delivery.read_back_url is not None]
            facts = await self._verify(camera, able, before, None) if able else ()
            now = self.verifier.now()
            unable = tuple(
                self._fact(camera, Verification(delivery, NO_ADDRESS, now, 0.0), None)
                for delivery in deliveries
                if delivery not in able
            )
            return RoundResult((*facts, *unable), self._interval_s)

    async def verify_hinted(self, camera: CameraV1, hints: Mapping[UUID, Hint]) -> tuple[DeliveryVerifiedV1, ...]:
        """Read back those of these deliveries whose hint is not answered yet and that the forwarder delivers.

        What cannot be checked out of turn is left to the schedule, which waits longer for a camera's keyframe.
        Raises NatsError, TimeoutError or OSError when NATS is away.
        """
        hinted = [delivery for delivery in to_read_back(camera) if delivery.id in hints]
        async with self.alone(camera, hinted):
            before = await self._load_before(hinted)
            wanted = [each for each in hinted if not hints[each.id].is_answered(before.read_backs[each.id])]
            before.states.update(await self.verifier.load_states(wanted))
            stopped = {each.delivery.id for each in self.verifier.not_running(wanted, before.states)}
            wanted = self._with_room([each for each in wanted if each.id not in stopped], before)
            since = {delivery.id: hints[delivery.id].since for delivery in wanted}
            return await self._verify(camera, wanted, before, None, since, hinted=True) if wanted else ()

    async def _load_before(self, deliveries: Sequence[PlannedDelivery]) -> Before:
        """Load the last read-backs. Raises NatsError or TimeoutError when NATS is away."""
        return Before({delivery.id: await self._results.get(delivery.id) for delivery in deliveries})

    def _with_room(self, deliveries: Sequence[PlannedDelivery], before: Before) -> list[PlannedDelivery]:
        """Those for which there is room: a centre that fails takes none of the time for the others."""
        return [
            delivery
            for delivery in deliveries
            if not before.is_failing(delivery.id) or self._failing[delivery.destination_id] < self._failing_room
        ]

    async def withdraw(self, deliveries: Sequence[PlannedDelivery]) -> None:
        """Withdraw what was found of deliveries that are not read back any more. Raises NatsError or TimeoutError."""
        for delivery in deliveries:
            if await self._results.get(delivery.id) is not None:
                self._announcer.remove_verification(delivery.id)

    async def _verify(
        self,
        camera: CameraV1,
        deliveries: Sequence[PlannedDelivery],
        before: Before,
        hold: Hold | None,
        since: Mapping[UUID, datetime] = NO_SESSIONS,
        *,
        patient: bool = False,
        hinted: bool = False,
    ) -> tuple[DeliveryVerifiedV1, ...]:
        def on_found(found: Verification) -> None:
            self._running.pop(found.delivery.id, None)
            if not hinted or _says_something(found.finding):
                facts.extend(self._publish(camera, [found], before))

        facts: list[DeliveryVerifiedV1] = []
        earlier = {each.id: before.to_earlier(each.id, since.get(each.id)) for each in deliveries}
        failing = [delivery.destination_id for delivery in deliveries if before.is_failing(delivery.id)]
        self._failing.update(failing)
        try:
            with self._metrics.running.track_inprogress():
                async with asyncio.timeout(self.longest_s + GRACE_S), kept_in_progress(hold):
                    # The proof of one delivery does not wait for what takes long at the other's destination.
                    await self.verifier.verify(
                        camera.id, deliveries, earlier=earlier, patient=patient, on_found=on_found
                    )
        finally:
            self._failing.subtract(failing)
            self._failing += Counter()
        return tuple(facts)

    def _publish(
        self, camera: CameraV1, found: Sequence[Verification], before: Before
    ) -> tuple[DeliveryVerifiedV1, ...]:
        facts = []
        for each in found:
            previous, state = before.read_backs[each.delivery.id], before.states.get(each.delivery.id)
            fact = follow(self._fact(camera, each, previous), previous, state=state, per_fact=self.per_fact)
            before.read_backs[fact.delivery_id] = fact
            facts.append(fact)
            self._announcer.publish_verification(fact)
            self._metrics.count(fact)
            log.debug("delivery_verified", delivery_id=str(fact.delivery_id), verdict=fact.verdict, detail=fact.detail)
        return tuple(facts)

    def _fact(self, camera: CameraV1, found: Verification, previous: DeliveryVerifiedV1 | None) -> DeliveryVerifiedV1:
        finding = found.finding
        return DeliveryVerifiedV1(
            delivery_id=found.delivery.id,
            camera_id=camera.id,
            destination_id=found.delivery.destination_id,
            camera_revision=camera.revision,
            worker_id=self._worker_id,
            observed_at=found.observed_at,
            verdict=finding.verdict,
            captured_at=finding.captured_at,
            delay_s=finding.delay_s,
            still_since=finding.still_since,
            paused_since=finding.paused_since,
            cause=finding.cause,
            detail=redact(finding.detail)[:MAX_DETAIL] if finding.detail else None,
            interval_s=next_interval_s(finding, previous, camera_revision=camera.revision, interval_s=self._interval_s),
            duration_ms=round(found.duration_s * 1000, 1),
            awake_since=self._awake.since if self._awake is not None else None,
        )

    def _count_lateness(self, previous: DeliveryVerifiedV1 | None, revision: int, now: datetime) -> None:
        if previous is not None and previous.camera_revision == revision:
            late_s = (now - previous.observed_at).total_seconds() - previous.interval_s
            self._metrics.lateness.observe(max(0.0, late_s))


def _says_something(finding: Finding) -> bool:
    """Whether a finding is more than that the schedule's next read-back may see more. One of a prober that lagged may
    hide a failure: it is said."""
    return finding.verdict is not VerificationVerdict.NOT_CHECKABLE or finding.cause is Cause.WORKER_LAGGED


@asynccontextmanager
async def kept_in_progress(hold: Hold | None) -> AsyncIterator[None]:
    """Call `hold` again and again while the block lasts."""

    async def keep() -> None:
        while hold is not None:
            await asyncio.sleep(HOLD_EVERY_S)
            await hold()

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

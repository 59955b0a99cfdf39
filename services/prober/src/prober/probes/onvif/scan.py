"""Asking many addresses for a person: bounded in number, in concurrency and in time, and stoppable.

The login of a scan lives in its task only; it is neither stored nor logged, and gone when the task ends.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from nats.errors import Error as NatsError

from prober.metrics import Metrics
from prober.probes.limits import NetworkGate
from prober.probes.onvif.logins import OnvifLogins
from prober.probes.onvif.model import OnvifCause, OnvifFinding
from prober.probes.onvif.scan_store import ScanHead, ScanRecords, ScanState, ScanWriter
from prober.probes.onvif.targets import Endpoint, Target
from vonggac.auth import Credentials
from vonggac.bus import Bus, Outgoing
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.telemetry import get_logger

log = get_logger(__name__)

SIGN_OF_LIFE_S = 1.0
STORE_WITHIN_S = 60.0
"""An ended scan waits this long for an absent NATS."""
STOP_WITHIN_S = 5.0
_LAST_WORDS = frozenset({OnvifCause.AUTH_FAILED, OnvifCause.ADDRESS_NOT_ALLOWED, OnvifCause.ROUTE})
"""After these the other ports of an address are not asked: they show nothing new, or would cost another login."""
_BY_CERTAINTY = (OnvifCause.PROTOCOL_ERROR, OnvifCause.NOT_ONVIF, OnvifCause.REFUSED, OnvifCause.TIMEOUT)
"""Which of several ports' causes says most about the address."""


class TooManyScansError(Exception):
    """This process runs as many scans as it may."""


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What to ask. `timeout_s` is the deadline of one probe (one address, one port)."""

    targets: tuple[Target, ...]
    credentials: Credentials | None = field(repr=False)
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Running:
    head: ScanHead
    plan: ScanPlan
    logins: OnvifLogins
    stopped: asyncio.Event = field(default_factory=asyncio.Event)


class Scanner:
    """The scans of one process."""

    def __init__(
        self,
        *,
        worker_id: str,
        allowed_networks: AllowedNetworks,
        metrics: Metrics,
        concurrency: int,
        max_scans: int,
        gate: NetworkGate,
    ) -> None:
        self._worker_id, self._networks, self._metrics, self._gate = worker_id, allowed_networks, metrics, gate
        self._max_scans, self._admitted = max_scans, 0
        self._slots = asyncio.Semaphore(concurrency)
        self._running: dict[UUID, tuple[_Running, asyncio.Task[None]]] = {}

    async def start(self, bus: Bus, plan: ScanPlan, logins: OnvifLogins) -> ScanHead:
        """Begin a scan. Raises TooManyScansError, and NatsError or TimeoutError when NATS is away."""
        if self._admitted >= self._max_scans:
            raise TooManyScansError
        self._admitted += 1
        try:
            head = self._new_head(len(plan.targets), bus.clock.now())
            await ScanRecords(bus).create(head)
        except BaseException:
            self._admitted -= 1
            raise
        scan = _Running(head, plan, logins)
        task = asyncio.create_task(self._run(scan, bus))
        self._running[head.id] = scan, task
        task.add_done_callback(lambda _: self._ended(head.id))
        log.info("scan_started", scan_id=str(head.id), addresses=head.total)
        return head

    def cancel(self, scan_id: UUID) -> None:
        """End a scan of this process at once; nothing happens when it is not one."""
        if scan_id in self._running:
            self._running[scan_id][0].stopped.set()

    async def stop(self) -> None:
        """Cancel every scan and wait until what they found is stored, at most STOP_WITHIN_S."""
        tasks = [task for _, task in self._running.values()]
        for scan_id in list(self._running):
            self.cancel(scan_id)
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
            await _cancel(tasks)

    def _new_head(self, total: int, now: datetime) -> ScanHead:
        return ScanHead(
            id=uuid4(), worker_id=self._worker_id, state=ScanState.RUNNING, total=total, started_at=now, updated_at=now
        )

    def _ended(self, scan_id: UUID) -> None:
        del self._running[scan_id]
        self._admitted -= 1

    async def _run(self, scan: _Running, bus: Bus) -> None:
        outgoing = Outgoing(bus)
        writer = ScanWriter(outgoing)
        sending = asyncio.create_task(outgoing.run())
        state = ScanState.FAILED
        try:
            state = await self._first(self._ask_all(scan, writer), self._steer(scan, writer, bus), _stopped(scan))
        except Exception as error:
            # A mistake of ours ends this scan and says so; the prober goes on.
            log.error("scan_failed", scan_id=str(scan.head.id), exc_info=error)
        finally:
            self._metrics.scans.labels(state.value).inc()
            writer.head(_as_of(bus.clock.now(), scan.head, state))
            try:
                await outgoing.drain(within_s=STORE_WITHIN_S)
            finally:
                await _cancel([sending])
        log.info("scan_ended", scan_id=str(scan.head.id), state=state.value)

    async def _first(self, *ways: Coroutine[Any, Any, ScanState]) -> ScanState:
        """Return the state of whichever way ends first; the others are cancelled and waited for."""
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            await _cancel(tasks)

    async def _ask_all(self, scan: _Running, writer: ScanWriter) -> ScanState:
        async with asyncio.TaskGroup() as group:
            for index, target in enumerate(scan.plan.targets):
                group.create_task(self._scan_target(scan, index, target, writer))
        return ScanState.FINISHED

    async def _scan_target(self, scan: _Running, index: int, target: Target, writer: ScanWriter) -> None:
        # First the line, then a place of this process: who waits for a site takes none from the scans of others.
        async with (
            self._gate.admitted(self._gate.network_of(target.host, None), f"{scan.head.id}/{index}"),
            self._slots,
        ):
            finding = await self._ask_ports(target, scan.plan, scan.logins)
        self._metrics.scanned.labels(
            "onvif" if finding.onvif else finding.cause.value if finding.cause else "none"
        ).inc()
        writer.queue_finding(scan.head.id, index, finding)

    async def _ask_ports(self, target: Target, plan: ScanPlan, logins: OnvifLogins) -> OnvifFinding:
        """Find the first port that answers by ONVIF, else what says most."""
        findings = []
        for port in target.ports:
            finding = await logins.probe_device(
                str(Endpoint(target.host, port)),
                plan.credentials,
                deadline_s=plan.timeout_s,
                allowed_networks=self._networks,
            )
            self._metrics.onvif_probe.observe(finding.duration_s)
            if finding.onvif or finding.cause in _LAST_WORDS:
                return finding
            findings.append(finding)
        return min(findings, key=_certainty)

    async def _steer(self, scan: _Running, writer: ScanWriter, bus: Bus) -> ScanState:
        """Give a sign of life every second; ends when somebody asked another replica to stop the scan."""
        records = ScanRecords(bus)
        while True:
            await asyncio.sleep(SIGN_OF_LIFE_S)
            writer.head(_as_of(bus.clock.now(), scan.head, ScanState.RUNNING))
            try:
                if await records.is_stop_requested(scan.head.id):
                    return ScanState.CANCELLED
            except (NatsError, TimeoutError, OSError) as error:
                log.info("scan_not_steered", scan_id=str(scan.head.id), error=type(error).__name__)


async def _stopped(scan: _Running) -> ScanState:
    await scan.stopped.wait()
    return ScanState.CANCELLED


def _certainty(finding: OnvifFinding) -> int:
    return _BY_CERTAINTY.index(finding.cause) if finding.cause in _BY_CERTAINTY else -1


def _as_of(now: datetime, head: ScanHead, state: ScanState) -> ScanHead:
    return head.model_copy(update={"state": state, "updated_at": now})


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""What runs beside the HTTP API of one forwarder process: started, watched and stopped in order."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from forwarder.domain.assignment import rebalancing
from forwarder.domain.backpressure import Bounds
from forwarder.domain.camera_pull import PullLimits
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Limits
from forwarder.domain.serving.tickets import TicketReader
from forwarder.messaging import (
    Reporter,
    StatusBoard,
    publish_unconfirmed,
    remove_worker,
    report_centre_request,
    serve_losses,
)
from forwarder.metrics import Metrics
from forwarder.relay.assignment.held_camera import begin_to_serve
from forwarder.relay.assignment.membership import HEARTBEAT_S, MembershipWatch, WayIn
from forwarder.relay.assignment.worker import Worker
from forwarder.relay.demux.pool import RemuxPool
from forwarder.relay.destinations.hints import ReadBackHints
from forwarder.relay.media.budget import MediaBudget
from forwarder.relay.passing.accounts import ServedAccounts
from forwarder.relay.passing.fleet import Fleet
from forwarder.relay.server.listener import CentreListener, Passing, ServedPorts
from forwarder.relay.supervision.context import RelayContext
from forwarder.settings import Settings
from vonggac.auth import Unsealer
from vonggac.bus import Bucket, Bus, Outgoing, ServerClock
from vonggac.bus.bucket_cache import BucketCache
from vonggac.bus.clock import export_clock
from vonggac.bus.declared import permissions, topology
from vonggac.events.forwarder import DeliveryObservedV1, FactsLost, ReadBackHint
from vonggac.http.background import TaskSupervisor, run_unless
from vonggac.logins.attempt import Logins
from vonggac.logins.check_tickets import PURPOSE
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.logins.resealing import Resealing
from vonggac.telemetry import get_logger
from vonggac.telemetry.awake import TICK_S

log = get_logger(__name__)

OBSERVED_AT_ONCE = 25
"""Cameras whose deliveries are observed before media has its turn again: about a millisecond."""


def context_of(settings: Settings, clock: ServerClock) -> RelayContext:
    """Build the context. Raises OSError or ValueError when the private key cannot be read."""
    return RelayContext(
        now=lambda: Instant(clock.now(), time.monotonic()),
        wall_correction_s=lambda: clock.correction_s,
        chance=random.random,
        unsealer=Unsealer.from_file(settings.workers_private_key_file),
        allowed=settings.allowed,
        limits=Limits(
            keyframe_s=settings.keyframe_wait_s,
            drop_s=settings.drop_s,
            good_s=settings.good_session_s,
            refused_retry_s=settings.refused_retry_s,
        ),
        pull_limits=PullLimits(good_s=settings.good_session_s, auth_cooldown_s=settings.auth_cooldown_s),
        bounds=Bounds(buffer_bytes=settings.buffer_bytes, buffer_s=settings.buffer_s),
        budget=MediaBudget(max_bytes=settings.queued_media_bytes),
        receive_low_water_bytes=settings.receive_low_water_bytes,
        hints=ReadBackHints(time.monotonic, clock.now),
        remux=RemuxPool(streams_per_process=settings.remux_cameras_per_process),
    )


def listener_of(settings: Settings, context: RelayContext) -> CentreListener:
    """Where centres connect to, or other workers pass them on. Raises ValueError when a certificate cannot be used."""
    ports = ServedPorts(
        settings.serve_host,
        settings.serve_port,
        settings.serve_tls_port,
        settings.serve_tls_certificate_file,
        settings.serve_tls_key_file,
        settings.served_udp_ports,
    )
    return CentreListener(
        ports,
        now=lambda: context.now().at,
        bounds=context.bounds,
        budget=context.budget,
        check_key=context.unsealer.derive_key(PURPOSE),
    )


class Process:
    """One forwarder: `run` until `stop`. `bus`, `worker` and `reporter` are None until NATS was there once."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        clock: ServerClock | None = None,
        *,
        adjust: Callable[[RelayContext], RelayContext] = lambda context: context,
    ) -> None:
        """`adjust` changes limits that are no settings, such as for a test that cannot wait for them.

        Raises OSError or ValueError when the private key cannot be read.
        """
        self.worker_id = f"forwarder-{uuid4().hex[:12]}"
        self.bus: Bus | None = None
        self.worker: Worker | None = None
        self.reporter: Reporter | None = None
        self.clock = clock or ServerClock()
        export_clock(self.clock, skew=metrics.clock_skew, error=metrics.clock_error)
        self.awake = self.clock.new_awake()
        """Begun anew with the heartbeats."""
        self._settings, self.metrics = settings, metrics
        self._context = adjust(context_of(settings, self.clock))
        self._listener = listener_of(settings, self._context)
        self._way_in = WayIn(has_port=settings.serve_port is not None or settings.serve_tls_port is not None)
        self._context = replace(self._context, offers=self._listener.offers, centres_come=self._way_in.is_there)
        self._stopped = asyncio.Event()
        self._resealing: Resealing | None = None
        self._working = self._facts_lost = False
        self._hinting: set[asyncio.Task[None]] = set()

    @property
    def board(self) -> StatusBoard | None:
        """The last report of every delivery, whoever holds it; None until NATS was there once."""
        return None if self.worker is None else self.worker.board

    @property
    def members(self) -> MembershipWatch | None:
        """The other forwarders; None until NATS was there once."""
        return None if self.worker is None else self.worker.members

    async def live(self, delivery_id: UUID | None = None) -> list[DeliveryObservedV1]:
        """List the deliveries that this process holds, or this one, as they are now; no media is held up for it."""
        worker, reporter = self.worker, self.reporter
        if worker is None or reporter is None:
            return []
        observed: list[DeliveryObservedV1] = []
        for number, held in enumerate(list(worker.held.values())):
            if number % OBSERVED_AT_ONCE == OBSERVED_AT_ONCE - 1:
                await asyncio.sleep(0)
            observed += [
                reporter.describe_delivery(held.relay, supervisor)
                for supervisor in held.relay.deliveries.values()
                if delivery_id in {None, supervisor.plan.id}
            ]
        return observed

    async def check(self) -> str | None:
        """Readiness: None when jobs are being fetched, otherwise one line."""
        if self.bus is None or not self._working:
            return "waiting for NATS and its streams"
        if self.worker is None or not self.worker.ready.is_set():
            return "waiting for the commands, the last reports and the other workers' heartbeats"
        if (reason := await self.bus.check_streams()) is not None:
            return reason
        return None if self.has_live_media else await self._find_outage(self.bus)

    async def check_outage(self) -> str | None:
        """Degradation: one line while NATS is away; what is held is forwarded all the same."""
        return "NATS is not connected" if self.bus is None else await self._find_outage(self.bus)

    async def _find_outage(self, bus: Bus) -> str | None:
        return await bus.check_outage() or await self.clock.check()

    @property
    def has_live_media(self) -> bool:
        """Whether media of a camera flows through this process now."""
        held = () if self.worker is None else self.worker.held.values()
        return any(one.relay.media_watch.media.flowing for one in held)

    def stop(self) -> None:
        """Ask `run` to end in order."""
        self._stopped.set()

    async def run(self) -> None:
        """Connect, forward until `stop`, hand over in order. Raises what ended a background task unexpectedly."""
        try:
            if await run_unless(self._stopped, self._connect()):
                assert self.bus is not None
                await self._work(self.bus)
        finally:
            self._working = False
            await self._context.remux.close()
            if self.bus is not None:
                await self.bus.close()

    async def _connect(self) -> None:
        self.bus = await Bus.connect(self._settings, name=self.worker_id, clock=self.clock)
        await self.bus.wait_for_topology(permissions.FORWARDER)
        # Nothing is said of a camera whose time would be worth nothing.
        await self.clock.settle(self.bus)
        # Before any login is opened: which address each old box is bound to.
        self._resealing = Resealing(self.bus, self._context.unsealer, service="forwarder")
        await self._resealing.load()

    async def _work(self, bus: Bus) -> None:
        settings = self._settings
        outgoing = Outgoing(bus, publisher=self.worker_id)
        started_at = self._context.now().at
        self.reporter = Reporter(outgoing, worker_id=self.worker_id, started_at=started_at)
        limits = self._context.pull_limits
        guard = LoginGuard(
            outgoing,
            Bucket(bus, topology.LOGIN_FAILURES),
            rests=LoginRests(limits.auth_cooldown_s, limits.suspect_backoff_s),
            clock=self.clock.now,
        )

        def on_login(key: str, value: bytes | None) -> None:
            guard.on_value(key, value)
            if not guard.has_failed(key):
                worker.login_taken(key)

        failed_logins = BucketCache(bus, topology.LOGIN_FAILURES, parse_key=str, parse_value=bytes, on_change=on_login)
        accounts = ServedAccounts(bus, outgoing, self._context.unsealer)
        worker = Worker(
            bus,
            outgoing,
            replace(self._context, logins=Logins(guard, self._context.unsealer), accounts=accounts),
            self.reporter,
            max_cameras=settings.max_cameras,
            rebalance_limits=rebalancing.Limits(settle_s=settings.rebalance_after_s),
        )
        self.worker = worker
        self._context.hints.publish = self._publish_hint
        self._expose(worker, outgoing)
        tasks = TaskSupervisor(on_death=None)
        await self._listener.start(await self._new_passing(bus, worker, accounts, outgoing))
        self.reporter.passage_address = self._listener.passage_address
        self.reporter.takes_centres = self._way_in.is_there()
        self._way_in.find_elsewhere = worker.members.take_centres
        tasks.start("watch-served-accounts", accounts.run())
        tasks.start("send-observations", outgoing.run())
        tasks.start("clock", self.clock.run(bus))
        assert self._resealing is not None, "made with the connection"
        tasks.start("watch-resealed", self._resealing.run())
        tasks.start("watch-logins", failed_logins.run())
        tasks.start("keep-login-notes", guard.keep_notes())
        tasks.start("worker", _run_worker(worker, failed_logins))
        tasks.start("heartbeat", self._beat(worker, self.reporter, outgoing))
        try:
            self._working = True
            log.info("forwarder_started", worker_id=self.worker_id, max_cameras=settings.max_cameras)
            await tasks.run_until(self._stopped)
            self._working = False
            await tasks.stop("heartbeat", "worker", "watch-logins")
            await self._leave(bus, worker, self.reporter, outgoing)
        finally:
            await self._listener.stop()
            await tasks.stop_all()
        log.info("forwarder_stopped", worker_id=self.worker_id)

    async def _leave(self, bus: Bus, worker: Worker, reporter: Reporter, outgoing: Outgoing) -> None:
        """Let no camera and no centre come any more, and others take what is held here (decision 0164)."""
        self._publish_heartbeat(worker, reporter, stopping=True)
        # A centre whose camera moves would come back here, and be cut off once more when this worker is gone.
        self._listener.close_ports()
        await self._hand_over(worker, outgoing)
        await remove_worker(bus, self.worker_id)

    async def _new_passing(self, bus: Bus, worker: Worker, accounts: ServedAccounts, outgoing: Outgoing) -> Passing:
        """How centres come in at any worker, and are passed on to the one that holds what they want."""

        def unix_s() -> float:
            return self._context.now().at.timestamp()

        key = self._context.unsealer.derive_key(b"vonggac passage")
        fleet = Fleet(
            self.worker_id,
            worker.board.served_paths,
            accounts,
            find_address=worker.members.passage_address,
            report=partial(report_centre_request, outgoing),
            key=key,
            unix_s=unix_s,
        )
        host = self._settings.passage_host or await bus.find_own_address()
        return Passing(fleet, TicketReader(key, self.worker_id), unix_s, (host, self._settings.passage_port))

    async def _beat(self, worker: Worker, reporter: Reporter, outgoing: Outgoing) -> None:
        # Others hand their cameras to whoever gives a sign of life.
        await worker.ready.wait()
        assert self.bus is not None, "jobs come from there"
        await serve_losses(self.bus, self.worker_id, self._on_loss)
        self.awake, due_s, lost, serving = self.clock.new_awake(), 0.0, 0, False
        while True:
            anew = slept = self.awake.check()
            if slept:
                log.warning("forwarder_slept", cameras_held=len(worker.held))
            if (outgoing.lost > lost or self._facts_lost) and not outgoing.waiting:
                # Nobody knows which states were in them: what was said before holds no longer, and is said anew.
                lost, anew, self._facts_lost = outgoing.lost, True, False
                self.awake.begin_anew()
                log.warning("states_published_anew", cameras_held=len(worker.held))
            if anew:
                reporter.awake_since, reporter.clock_stepped_s = self.awake.since, self.clock.stepped_s
            if anew or self._context.monotonic_s() >= due_s:
                due_s = self._context.monotonic_s() + HEARTBEAT_S
                self._publish_heartbeat(worker, reporter, stopping=False)
            if anew:
                await worker.report_all(slept=slept)
            if not serving and self._way_in.is_there():
                serving = True
                begin_to_serve([held.relay for held in worker.held.values()])
            await asyncio.sleep(TICK_S)

    async def _on_loss(self, message: Msg) -> None:
        """Handle the message that reporting misses facts of this worker for good."""
        assert self.reporter is not None, "made before"
        try:
            lost = FactsLost.model_validate_json(message.data)
        except ValidationError as error:
            log.warning("loss_malformed", error=type(error).__name__)
            return
        # Else it was answered meanwhile.
        if lost.lost_until >= self.reporter.awake_since:
            self._facts_lost = True

    def _publish_hint(self, hint: ReadBackHint) -> None:
        # Limited by whoever asks; without a bus there is no prober to ask.
        if self.bus is not None and self.bus.connected:
            task = asyncio.get_running_loop().create_task(self._send_hint(self.bus, hint), name="read-back-hint")
            self._hinting.add(task)
            task.add_done_callback(self._hinting.discard)

    async def _send_hint(self, bus: Bus, hint: ReadBackHint) -> None:
        try:
            await publish_unconfirmed(bus, hint)
        except (NatsError, OSError) as error:
            log.info("read_back_hint_not_sent", delivery_id=str(hint.delivery_id), error=type(error).__name__)

    def _publish_heartbeat(self, worker: Worker, reporter: Reporter, *, stopping: bool) -> None:
        capacity = self._settings.max_cameras
        reporter.report_alive(self._context.now(), len(worker.held), capacity=capacity, stopping=stopping)

    async def _hand_over(self, worker: Worker, outgoing: Outgoing) -> None:
        try:
            async with asyncio.timeout(self._settings.stop_within_s):
                await worker.release_all(within_s=self._settings.stop_within_s)
        except TimeoutError:
            # Their jobs come to others when the lease runs out.
            log.error("cameras_not_handed_over", count=len(worker.held))
        await outgoing.drain(within_s=1.0)

    def _expose(self, worker: Worker, outgoing: Outgoing) -> None:
        metrics = self.metrics
        metrics.relays = lambda: [held.relay for held in worker.held.values()]
        metrics.jobs_turned_away = lambda: worker.jobs_turned_away
        metrics.jobs_passed_on = lambda: worker.jobs_passed_on
        metrics.jobs_unreadable = lambda: worker.jobs_unreadable
        metrics.handed_over = lambda: worker.handed_over
        metrics.remux_processes_died = lambda: self._context.remux.died
        listener = self._listener
        metrics.centre_connections = lambda: listener.connections
        metrics.centres_turned_away = lambda: {reason.value: n for reason, n in listener.turned_away.items()}
        budget = self._context.budget
        metrics.queued_media_bytes = lambda: budget.queued_bytes
        metrics.deliveries_paused = lambda: budget.deliveries_paused
        metrics.gop_caches_dropped = lambda: budget.caches_dropped
        metrics.read_back_hints = lambda: {reason.value: count for reason, count in self._context.hints.asked.items()}
        metrics.observations_waiting = lambda: outgoing.waiting
        metrics.observations_oldest_age_s = lambda: outgoing.oldest_age_s
        metrics.observations_dropped = lambda: outgoing.dropped
        metrics.observations_refused = lambda: outgoing.refused
        metrics.observations_republished = lambda: outgoing.republished


async def _run_worker(worker: Worker, failed_logins: BucketCache[str, bytes]) -> None:
    await failed_logins.loaded.wait()
    await worker.run()

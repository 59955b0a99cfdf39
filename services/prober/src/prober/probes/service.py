"""What runs beside the HTTP API of one prober process: started, watched and stopped in order."""

import asyncio
from collections.abc import Coroutine
from uuid import uuid4

from prober.domain.findings import StreamThresholds
from prober.domain.picture import PictureThresholds
from prober.domain.verification import Limits as VerificationLimits
from prober.messaging import Announcer, CameraStatuses, FailureHistories, VerificationResults
from prober.metrics import Metrics
from prober.probes.camera.identity import ConfirmedDevices
from prober.probes.camera.observer import CameraRecords, Observer, Rules
from prober.probes.camera.picture_store import PictureStore
from prober.probes.camera.prober import CameraProber, ProbeContext
from prober.probes.camera.target import Tools
from prober.probes.camera.worker import Limits, Worker
from prober.probes.decoding.pool import Decoder
from prober.probes.disputes import Disputes
from prober.probes.job_loop import JobLimits
from prober.probes.limits import NetworkGate
from prober.probes.loop_lag import LoopLag
from prober.probes.onvif.logins import OnvifLogins
from prober.probes.picture_changes import PictureChanges
from prober.probes.silence import SilentPlaces
from prober.probes.site_faults import SiteWatch
from prober.probes.site_places import SitePlaces
from prober.probes.verification.on_hint import HintedReadBacks
from prober.probes.verification.scheduler import Verifications
from prober.probes.verification.self_check import SelfChecks
from prober.probes.verification.verifier import Verifier
from prober.probes.verification.worker import VerifyWorker
from prober.probes.viewing.live import LiveViews
from prober.probes.viewing.stills import Stills
from prober.settings import Settings
from vonggac.auth import Unsealer
from vonggac.bus import Bucket, Bus, Outgoing, ServerClock
from vonggac.bus.bucket_cache import watch_bucket
from vonggac.bus.clock import export_clock
from vonggac.bus.declared import permissions, topology
from vonggac.bus.space import watch_space
from vonggac.events.prober import ProberAliveV1
from vonggac.http.background import TaskSupervisor, run_unless
from vonggac.logins.attempt import Logins
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.logins.resealing import Resealing
from vonggac.telemetry import get_logger
from vonggac.telemetry.awake import TICK_S

log = get_logger(__name__)

DRAIN_WITHIN_S = 5.0
HEARTBEAT_S = 5.0
SETTLE_S = 5.0
"""How long a read-back goes on after the longest delay, for a difference to be certain."""
RARE_KEYFRAME_S = 90.0
"""How long a scheduled read-back waits for the next keyframe of a camera that sends them rarely."""
SUSPECT_BACKOFF_S = 300.0
"""To the next probe when a camera refuses a login that it took before (its session limit?)."""
READ_BACK_COOLDOWN_S = 300.0
"""Until a read-back login is tried again after two failed ones in a row."""
FIRST_PROBE_SPREAD_S = 10.0
"""Over which the first probes of many new cameras are spread."""
VIEWS_AT_A_TIME = 4
"""Pictures for people that are fetched; further ones wait."""
LIVE_VIEWERS, LIVE_VIEWERS_OF_ONE = 32, 8
"""People who view live pictures at a time, of all deliveries and of one."""


class Process:
    """One prober: `run` until `stop`. `bus` is None until NATS was there for the first time."""

    def __init__(self, settings: Settings, metrics: Metrics, clock: ServerClock | None = None) -> None:
        """Prepare the process. Raises OSError or ValueError when the private key cannot be read."""
        self.worker_id = f"prober-{uuid4().hex[:12]}"
        self.bus: Bus | None = None
        self._settings, self._metrics = settings, metrics
        self._unsealer = Unsealer.from_file(settings.workers_private_key_file)
        self._networks = settings.allowed
        self._login_rests = LoginRests(settings.auth_cooldown_s, SUSPECT_BACKOFF_S)
        self._stopped = asyncio.Event()
        self._lag = LoopLag(on_tick=metrics.loop_lag.observe)
        self.clock = clock or ServerClock()
        export_clock(self.clock, skew=metrics.clock_skew, error=metrics.clock_error)
        self.places = SitePlaces(self.worker_id, self.clock)
        self.gate = NetworkGate(
            settings.max_probes_per_network,
            prefix_v4=settings.network_prefix_v4,
            prefix_v6=settings.network_prefix_v6,
            share=self.places.of,
        )
        self._silent = SilentPlaces(int(settings.max_concurrent_probes * settings.silent_share))
        self.awake = self.clock.new_awake()
        """Begun anew when the server's time is known."""
        self._resealing: Resealing | None = None
        self.observer: Observer | None = None
        """While jobs are being fetched."""
        self.disputes: Disputes | None = None
        self.verifications: Verifications | None = None
        self.onvif_logins: OnvifLogins | None = None
        self.stills: Stills | None = None
        self.lives: LiveViews | None = None
        """All as long as `observer`."""

    @property
    def probes_running(self) -> int:
        """Probes going on now."""
        return self.observer.probes_running if self.observer is not None else 0

    async def check(self) -> str | None:
        """Readiness: None when jobs are being fetched, otherwise one line."""
        if self.bus is None or self.observer is None:
            return "waiting for NATS and its streams"
        return await self.bus.check() or await self.clock.check()

    def stop(self) -> None:
        """Ask `run` to end in order."""
        self._stopped.set()

    async def run(self) -> None:
        """Connect, work until `stop`, stop in order. Raises what ended a background task unexpectedly."""
        try:
            if await run_unless(self._stopped, self._connect()):
                assert self.bus is not None
                await self._work(self.bus)
        finally:
            self.observer = self.disputes = self.verifications = self.onvif_logins = self.stills = None
            self.lives = None
            if self.bus is not None:
                await self.bus.close()

    async def _connect(self) -> None:
        self.bus = await Bus.connect(self._settings, name=self.worker_id, clock=self.clock)
        await self.bus.wait_for_topology(permissions.PROBER)
        # No probe is made whose time would be worth nothing.
        await self.clock.settle(self.bus)
        self.awake = self.clock.new_awake()
        # Before any login is opened: which address each old box is bound to.
        self._resealing = Resealing(self.bus, self._unsealer, service="prober")
        await self._resealing.load()

    async def _work(self, bus: Bus) -> None:
        settings = self._settings
        decoder = self._start_decoder()
        outgoing = Outgoing(bus, publisher=self.worker_id)
        self._metrics.observations.follow(outgoing)
        announcer = Announcer(outgoing, worker_id=self.worker_id)
        guard, centre_guard = self._login_guards(bus, outgoing)
        logins = Logins(guard, self._unsealer)
        self.onvif_logins = OnvifLogins(logins, self.clock)
        pictures = PictureStore(bus, outgoing, PictureThresholds())
        disputes = self.disputes = Disputes(bus)
        context = self._context(bus, logins, decoder, pictures, disputes)
        observer = self.observer = self._observer(context, outgoing, announcer)
        self.verifications = self._verifications(bus, announcer, Logins(centre_guard, self._unsealer), disputes)
        self.stills, self.lives = self._views(bus, self.verifications, decoder)
        worker = self._worker(bus, observer, announcer)
        most = settings.max_concurrent_verifications
        verify_worker = VerifyWorker(
            bus=bus,
            verifications=self.verifications,
            self_checks=self._self_checks(bus, announcer, self.verifications.verifier),
            metrics=self._metrics.read_backs,
            limits=JobLimits(most, settings.stop_within_s),
        )

        def on_login(key: str, value: bytes | None) -> None:
            guard.on_value(key, value)
            centre_guard.on_value(key, value)

        jobs_end_s = settings.stop_within_s + DRAIN_WITHIN_S
        tasks, known = TaskSupervisor(on_death=None), asyncio.Event()
        tasks.start("send-observations", outgoing.run())
        tasks.start("loop-lag", self._lag.run())
        tasks.start("clock", self.clock.run(bus))
        tasks.start("watch-space", watch_space(bus, outgoing, self._metrics.space))
        tasks.start("heartbeat", self._beat(announcer, observer))
        assert self._resealing is not None, "made with the connection"
        tasks.start("watch-resealed", self._resealing.run())
        tasks.start("watch-logins", watch_bucket(bus, topology.LOGIN_FAILURES, on_login))
        tasks.start("watch-sites", SiteWatch(bus, announcer).run())
        tasks.start("watch-references", pictures.watch_references())
        tasks.start("watch-disputes", disputes.run())
        tasks.start("probe-lock", observer.lock.run())
        tasks.start("verify-on-hint", HintedReadBacks(bus, self.verifications, most=most).run())
        tasks.start("judge-pictures", PictureChanges(bus, observer, most=most).run())
        tasks.start("watch-probers", self._watch_probers(bus, known))
        tasks.start("probe-jobs", _when(known, worker.run()), ask_to_stop=worker.stop, stop_within_s=jobs_end_s)
        tasks.start("verify-jobs", verify_worker.run(), ask_to_stop=verify_worker.stop, stop_within_s=jobs_end_s)
        log.info("prober_started", worker_id=self.worker_id, max_concurrent_probes=settings.max_concurrent_probes)
        try:
            await tasks.run_until(self._stopped)
            await tasks.stop("probe-jobs", "verify-jobs")
            await tasks.stop_all(keep={"send-observations"})
            announcer.remove_worker(self.worker_id)
            await outgoing.drain(within_s=DRAIN_WITHIN_S)
        finally:
            await tasks.stop_all()
            await asyncio.gather(self.lives.close(), observer.close(), decoder.close())
        log.info("prober_stopped", worker_id=self.worker_id)

    def _start_decoder(self) -> Decoder:
        decoder = Decoder(self._settings.decoder_processes, on_death=self._metrics.decoder_deaths.inc)
        decoder.start()
        return decoder

    def _login_guards(self, bus: Bus, outgoing: Outgoing) -> tuple[LoginGuard, LoginGuard]:
        """Of logins at cameras, and of those at centres: one account reads back all that a centre has."""
        bucket = Bucket(bus, topology.LOGIN_FAILURES)
        cameras = LoginGuard(outgoing, bucket, rests=self._login_rests, clock=self.clock.now)
        centres = LoginGuard(
            outgoing,
            bucket,
            rests=LoginRests(READ_BACK_COOLDOWN_S),
            clock=self.clock.now,
            proven_at_once=True,
        )
        return cameras, centres

    def _worker(self, bus: Bus, observer: Observer, announcer: Announcer) -> Worker:
        settings = self._settings
        return Worker(
            bus=bus,
            observer=observer,
            announcer=announcer,
            metrics=self._metrics,
            limits=Limits(
                max_concurrent_probes=settings.max_concurrent_probes - self._silent.most,
                first_probe_spread_s=FIRST_PROBE_SPREAD_S,
                stop_within_s=settings.stop_within_s,
            ),
        )

    def _verifications(self, bus: Bus, announcer: Announcer, logins: Logins, disputes: Disputes) -> Verifications:
        settings = self._settings
        return Verifications(
            worker_id=self.worker_id,
            verifier=Verifier(
                bus=bus,
                networks=self._networks,
                logins=logins,
                limits=VerificationLimits(
                    settings.max_delay_s, settings.verify_timeout_s, SETTLE_S, rare_s=RARE_KEYFRAME_S
                ),
                lag=self._lag,
                is_disputed=disputes.is_disputed,
            ),
            results=VerificationResults(bus),
            announcer=announcer,
            awake=self.awake,
            metrics=self._metrics.read_backs,
            interval_s=settings.verify_interval_s,
            failing_room=max(1, settings.max_concurrent_verifications // 2),
        )

    def _views(self, bus: Bus, verifications: Verifications, decoder: Decoder) -> tuple[Stills, LiveViews]:
        """Return what people view."""
        stills = Stills(bus, verifications, decoder, most=VIEWS_AT_A_TIME)
        return stills, LiveViews(
            verifications.verifier, self._metrics, most=LIVE_VIEWERS, most_of_one=LIVE_VIEWERS_OF_ONE
        )

    def _self_checks(self, bus: Bus, announcer: Announcer, verifier: Verifier) -> SelfChecks:
        settings = self._settings
        return SelfChecks(
            worker_id=self.worker_id,
            verifier=verifier,
            results=VerificationResults(bus),
            announcer=announcer,
            unsealer=self._unsealer,
            addresses={address.partition("://")[0]: address for address in settings.served_addresses},
            trust=settings.served_trust,
        )

    def _context(
        self, bus: Bus, logins: Logins, decoder: Decoder, pictures: PictureStore, disputes: Disputes
    ) -> ProbeContext:
        settings = self._settings
        return ProbeContext(
            tools=Tools(self._networks, decoder, settings.measure_window_s, self.clock, self._lag),
            logins=logins,
            gate=self.gate,
            pictures=pictures,
            disputes=disputes,
            thresholds=StreamThresholds(
                min_fps=settings.min_fps,
                max_loss_percent=settings.max_loss_percent,
                max_jitter_ms=settings.max_jitter_ms,
                max_clock_drift_s=settings.max_clock_drift_s,
            ),
            bus=bus,
        )

    def _observer(self, context: ProbeContext, outgoing: Outgoing, announcer: Announcer) -> Observer:
        settings, bus = self._settings, context.bus
        return Observer(
            worker_id=self.worker_id,
            prober=CameraProber(context),
            records=CameraRecords(
                statuses=CameraStatuses(bus),
                histories=FailureHistories(bus, outgoing),
                pictures=context.pictures,
                announcer=announcer,
                devices=ConfirmedDevices(bus),
            ),
            metrics=self._metrics,
            rules=Rules(
                logins=self._login_rests,
                deep_interval_s=settings.deep_interval_s,
            ),
            bus=bus,
            awake=self.awake,
            silent=self._silent,
        )

    async def _watch_probers(self, bus: Bus, known: asyncio.Event) -> None:
        """Keep the share of the networks' places; `known` is set when those who probe already are known."""

        def loaded() -> None:
            self.places.others_already_here()
            known.set()

        await self.places.run(bus, loaded)

    async def _beat(self, announcer: Announcer, observer: Observer) -> None:
        started_at, due_s, holes = self.clock.now(), 0.0, self.awake.holes
        loop = asyncio.get_running_loop()
        while True:
            self.awake.check()
            # A probe may have noticed it first.
            slept, holes = self.awake.holes != holes, self.awake.holes
            if slept:
                log.warning("prober_slept", probes_running=observer.probes_running)
            if slept or loop.time() >= due_s:
                due_s = loop.time() + HEARTBEAT_S
                announcer.publish_heartbeat(
                    ProberAliveV1(
                        worker_id=self.worker_id,
                        started_at=started_at,
                        alive_at=self.clock.now(),
                        probes_running=observer.probes_running,
                        awake_since=self.awake.since,
                        clock_stepped_s=self.clock.stepped_s,
                    )
                )
            await asyncio.sleep(min(TICK_S, HEARTBEAT_S))


async def _when(known: asyncio.Event, work: Coroutine[object, object, None]) -> None:
    """Do `work` once `known` is set."""
    try:
        await known.wait()
    except asyncio.CancelledError:
        work.close()
        raise
    await work

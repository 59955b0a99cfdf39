"""The one pull of a camera: attempts, retries, and the session that plays. It alone decides to pull again."""

import asyncio
import math
from collections import deque
from collections.abc import Callable

from forwarder.domain import camera_pull as domain
from forwarder.domain.backoff import early_in_s
from forwarder.domain.camera_pull import Media, Pull, PullState
from forwarder.domain.clock import Instant
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.sources.registry import play
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.reachability import SILENT, Endpoint, EndpointWatch
from forwarder.relay.supervision.timer import Timer
from vonggac.events.causes import Cause
from vonggac.events.inventory import CameraV1
from vonggac.net.dial import hand_on
from vonggac.net.errors import PeerError
from vonggac.rtsp import ReceptionStats
from vonggac.telemetry import get_logger

log = get_logger(__name__)

GOP_KEPT_S = 5.0
"""After the camera's first media its current group of pictures is kept for so long, for sessions that are opened."""
HOLE_S = 2.5
"""Nobody watched for so long (the process slept, or the machine): that is no silence of the camera."""
ENDED_AFTER_S = 2.0
"""Without a picture for so long after the camera's goodbye, its stream has ended."""
CHECK_EVERY_S = 1.0
"""How often a session's media is checked."""
SAMPLE_EVERY_S = 0.25
"""How often it is seen whether pictures come."""
RETRY_WITHIN_S = 1.0
"""After a camera's address answers again, its cameras are pulled within this time, each at a random moment of it."""
_NOT_CONNECTED = frozenset({Cause.REFUSED, Cause.ROUTE})
"""Nobody was there for certain; a timeout may be that of a camera that is merely slow."""


class MediaWatch:
    """When a camera's media began and stopped, over all its sessions; read four times a second."""

    def __init__(self, now_s: float, on_flow: Callable[[], None]) -> None:
        self.media = Media()
        self.planned_fps: float | None = None
        """Pictures a second by the survey: fewer never become usual."""
        self._on_flow = on_flow
        self._pictures = self._counted_pictures = 0
        self._media_s = self._watched_s = self._counted_s = self._dated_s = now_s
        self._quiet_s = 0.0
        """How long no picture has come while somebody watched."""
        self._short_gaps_s: deque[float] = deque(maxlen=domain.SHORT_GAPS)
        self._goodbyes, self._goodbye_s = 0, -math.inf
        self._distances_s: deque[float] = deque(maxlen=domain.GAPS_KEPT)
        self.usual_silence_s = 0.0
        """Silence up to that says nothing: the camera sends seldom. Learnt over all its sessions."""

    def begin_session(self, now_s: float) -> None:
        """Begin with a session whose media has not come yet."""
        self._media_s = self._watched_s = self._counted_s = self._dated_s = now_s
        self._quiet_s = 0.0
        self._goodbyes, self._goodbye_s = 0, -math.inf

    def media_came(self, source: CameraSource, now: Instant) -> None:
        """Note the first media of a session."""
        self._media_s = self._counted_s = self._dated_s = now.monotonic_s
        self._pictures = self._counted_pictures = source.fanout.pictures
        self._quiet_s = 0.0
        self._flow(domain.media_flows(self.media, now.at))

    def silent_for_s(self, source: CameraSource, now_s: float) -> float:
        """How long no media came; call about once a second."""
        self._see(source, now_s)
        if now_s - self._watched_s >= HOLE_S:
            self._media_s = self._dated_s = now_s
            self._quiet_s = 0.0
            self._distances_s.clear()
            self.usual_silence_s = 0.0
        self._watched_s = now_s
        if source.goodbyes != self._goodbyes:
            self._goodbyes, self._goodbye_s = source.goodbyes, now_s
        return now_s - self._media_s

    def has_ended(self, silent_s: float) -> bool:
        """Whether the camera said goodbye and sent nothing after it. What is seen a check later came before it."""
        said = self._media_s <= self._goodbye_s + CHECK_EVERY_S
        return said and silent_s >= max(ENDED_AFTER_S, self.usual_silence_s)

    def sample(self, source: CameraSource, now_s: float) -> bool:
        """See whether pictures came; call about four times a second. Whether `date` has news."""
        passed_s, self._counted_s = now_s - self._counted_s, now_s
        pictures = source.fanout.pictures
        if pictures == self._counted_pictures:
            # What waits while we stand still is read after that.
            self._quiet_s += min(passed_s, 2 * SAMPLE_EVERY_S)
            return self.media.flowing and self._quiet_s >= domain.SHORT_GAP_S and self._has_stopped(now_s)
        self._counted_pictures = pictures
        if self._quiet_s >= domain.SHORT_GAP_S:
            self._short_gaps_s.append(now_s)
        # It came at some moment since the last sample: dated to the middle.
        self._quiet_s, self._dated_s = 0.0, now_s - min(passed_s, CHECK_EVERY_S) / 2
        return not self.media.flowing

    def date(self, now: Instant) -> None:
        """Date the media of a session that stands: it stopped with the last picture, or came again with it."""
        at = now.earlier(self._dated_s).at
        if self._quiet_s:
            self._flow(domain.media_stopped(self.media, Cause.STALLED, at))
        else:
            self._flow(domain.media_flows(self.media, at))

    def end(self, source: CameraSource | None, cause: Cause | None, now: Instant) -> None:
        """Note that the session has ended, or that none could be had."""
        if source is not None:
            self.sample(source, now.monotonic_s)
            self._see(source, now.monotonic_s)
        self._flow(domain.media_stopped(self.media, cause, now.earlier(self._dated_s).at))

    def end_by_us(self) -> None:
        """Note that the session has ended because this process stood still."""
        self._flow(domain.media_lost_by_us(self.media))

    def learn_gap(self, gap_s: float, pictures: int = 1) -> None:
        """So long no picture came, and then so many did, or the session was given up."""
        self._distances_s.append(domain.distance_s(gap_s, pictures))
        self.usual_silence_s = domain.usual_silence_s(self._distances_s, self.planned_fps)

    def has_gaps(self, now_s: float) -> bool:
        """Whether a short gap was in the media of the last half minute."""
        return bool(self._short_gaps_s) and now_s - self._short_gaps_s[-1] <= domain.SHORT_GAPS_WITHIN_S

    def _has_stopped(self, now_s: float) -> bool:
        return self._quiet_s >= domain.stopped_after_s(self.usual_silence_s, self._short_gaps_s, now_s)

    def _see(self, source: CameraSource, now_s: float) -> None:
        if (pictures := source.fanout.pictures) != self._pictures:
            self.learn_gap(now_s - self._media_s, max(1, pictures - self._pictures))
            self._pictures, self._media_s = pictures, now_s

    def _flow(self, media: Media) -> None:
        if media != self.media:
            self.media = media
            self._on_flow()


class CameraPuller:
    """Pulls a camera from `start` to `close`, one session at a time."""

    def __init__(
        self,
        camera: CameraV1,
        context: RelayContext,
        *,
        on_media: Callable[[CameraSource], None],
        on_failed: Callable[[Cause], bool],
        on_away: Callable[[Cause | None, str | None], None],
        on_flow: Callable[[], None],
    ) -> None:
        """`on_media`: the camera's media begins. `on_away`: it has ended, or cannot be had; no cause: by our own doing.

        `on_failed` is called after that, with the reason: whether the camera is tried again.
        `on_flow`: the media began or stopped.
        """
        self.state: Pull = domain.begun(context.now())
        self.attempts = 0
        self.source: CameraSource | None = None
        self._camera, self._context = camera, context
        self._on_media, self._on_failed, self._on_away = on_media, on_failed, on_away
        self._loop = asyncio.get_running_loop()
        self._attempt: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._retry_timer, self._gop_timer = Timer(), Timer()
        self._watch = EndpointWatch(context.reachability, context.allowed)
        self.media_watch = MediaWatch(context.now().monotonic_s, on_flow)
        self.media_watch.planned_fps = _planned_fps(camera)
        self._closed = False
        self._early_s = -math.inf
        self._began_s = -math.inf

    @property
    def live_source(self) -> CameraSource | None:
        """What plays, once its media flows."""
        return self.source if self.state.state is PullState.LIVE else None

    @property
    def reception(self) -> ReceptionStats | None:
        """What was lost on the way here over UDP; None over TCP, and without a session."""
        return self.source.reception if self.source is not None else None

    def start(self) -> None:
        """Make the first attempt."""
        self._pull()

    def restart(self, camera: CameraV1 | None = None) -> None:
        """Begin anew, whatever failed before; with another plan if one is given."""
        self._camera = camera or self._camera
        self.end_session(None, None)
        self.state = domain.begun(self._context.now())
        self._pull()

    def ensure_pulled(self) -> None:
        """Make an attempt now if neither a session nor an attempt is there."""
        if self.source is None and self._attempt is None:
            self.state = domain.begun(self._context.now())
            self._pull()

    def replan(self, camera: CameraV1) -> None:
        """Take over what restarts nothing."""
        self._camera = camera
        self.media_watch.planned_fps = _planned_fps(camera)

    def retry_now(self) -> bool:
        """End a wait, if there is one; whether there was."""
        if self.state.state is not PullState.BACKING_OFF or not self._retry_timer.running:
            return False
        self.state = domain.begun(self._context.now())
        self._pull()
        return True

    def end_rest(self, login: str) -> None:
        """End the wait after a refused login, if it is for this one."""
        if self.state.state is PullState.COOLING_DOWN and self._context.login_of(self._camera) == login:
            self._retry_timer.shorten(RETRY_WITHIN_S * self._context.chance(), self._retry)

    def keep_gop_for_new_sessions(self) -> None:
        """Drop the camera's kept group of pictures a little later."""
        self._gop_timer.start(GOP_KEPT_S, self._drop_gop)

    def silent_for_s(self, now_s: float) -> float | None:
        """How long the camera has sent no media, None while it is not live; call about once a second.

        A camera that is silent for too long is given up and pulled anew.
        """
        source = self.source
        if source is None:
            return None
        source.check_rates()
        if self.source is not source:
            return None
        silent_s = self.media_watch.silent_for_s(source, now_s)
        live = self.state.state is PullState.LIVE
        if silent_s >= max(self._context.media_timeout_s, self.media_watch.usual_silence_s):
            if live:
                self.media_watch.learn_gap(silent_s)
            self._failed(Cause.STALLED if live else Cause.NO_MEDIA, f"no video for {silent_s:.0f} s")
            return None
        if live and self.media_watch.has_ended(silent_s):
            self._failed(Cause.ENDED, "the camera ended the stream (RTCP BYE)")
            return None
        return silent_s if live else None

    def end_session(self, cause: Cause | None, detail: str | None) -> None:
        """Let the present session and attempt go; nothing is tried again by itself."""
        self.media_watch.end(self.source, cause, self._context.now())
        self._cancel_retry()
        self._gop_timer.cancel()
        if self._attempt is not None:
            self._keep_task(self._attempt)
            self._attempt.cancel()
            self._attempt = None
        source, self.source = self.source, None
        if source is not None:
            self._context.budget.remove_source(source.fanout)
            self._keep_task(self._loop.create_task(source.close(), name=f"leave-{self._camera.id}"))
        self._on_away(cause, detail)

    def retire(self) -> None:
        """Try no more. A session that plays goes on until `close`."""
        self._closed = True

    async def close(self) -> None:
        """End the session; bounded to about a second."""
        self._closed = True
        self.end_session(None, None)
        self._context.reachability.drop_connection(Endpoint.of(self._camera.url, self._camera.tls))
        if self._endings:
            await asyncio.wait(self._endings)

    def _pull(self) -> None:
        self._cancel_retry()
        self.attempts += 1
        self._began_s = self._context.monotonic_s()
        self._attempt = self._loop.create_task(self._play(), name=f"pull-{self._camera.id}")

    def _retry(self) -> None:
        self.state = domain.retried(self.state, self._context.now())
        self._pull()

    async def _play(self) -> None:
        if self._endings:
            # Many cameras allow two sessions: the old one ends before a new one is asked for.
            await asyncio.wait(self._endings)
        context, camera = self._context, self._camera
        try:
            credentials = context.open_login(camera)
            with hand_on(context.reachability.take_connection(Endpoint.of(camera.url, camera.tls))):
                source = await play(
                    camera, credentials, context.play_limits, on_began=self._media_began, on_lost=self._lost
                )
        except PeerError as error:
            self._attempt = None
            self._failed(error.cause, error.message, elsewhere=error.elsewhere, rest_s=error.rest_s)
            return
        except Exception as error:  # a mistake of ours with one camera must not end the others
            log.error("camera_attempt_crashed", camera_id=str(camera.id), exc_info=error)
            self._attempt = None
            self._failed(Cause.INTERNAL_ERROR, type(error).__name__)
            return
        self._attempt, self.source = None, source
        context.budget.add_source(source.fanout)
        source.wait_for_bytes(context.receive_low_water_bytes)
        self.media_watch.begin_session(context.now().monotonic_s)

    def _media_began(self) -> None:
        if self.source is None or self._closed:
            return
        now = self._context.now()
        self.state = domain.media_came(self.state, now)
        self.media_watch.media_came(self.source, now)
        self._on_media(self.source)

    def _lost(self, error: PeerError | None) -> None:
        # None: our own close.
        if error is not None and self.source is not None:
            self._failed(error.cause, error.message, elsewhere=error.elsewhere)

    def _failed(
        self, cause: Cause, detail: str | None, *, elsewhere: bool = False, rest_s: float | None = None
    ) -> None:
        if self._closed:
            return
        context = self._context
        was_live = self.state.state is PullState.LIVE
        self.state = domain.failed(
            self.state,
            cause,
            detail,
            context.now(),
            chance=context.chance(),
            limits=context.pull_limits,
            rest_s=rest_s,
            has_login=self._camera.secret is not None,
        )
        if was_live or self.state.failures == 1:
            log.warning("camera_away", camera_id=str(self._camera.id), cause=cause.value, detail=detail)
        still_s, now_s = context.ticker.stood_still_until_s(), context.monotonic_s()
        if domain.broken_by_us(cause, began_s=self._began_s, stood_still_until_s=still_s, now_s=now_s):
            self.media_watch.end_by_us()
            self.end_session(None, "this forwarder stood still meanwhile")
        else:
            self.end_session(cause, detail)
        if not self._on_failed(cause):
            return
        self._retry_timer.start(self.state.retry_in_s, self._retry)
        if cause in SILENT:
            silent = cause in _NOT_CONNECTED and not elsewhere
            endpoint = Endpoint.of(self._camera.url, self._camera.tls)
            self._watch.start(endpoint, self._endpoint_answers, silent=silent)

    def _endpoint_answers(self) -> None:
        # A recorder's cameras are all called in the same moment.
        early_s = early_in_s(self._early_s, self._context.monotonic_s())
        self._retry_timer.shorten(RETRY_WITHIN_S * self._context.chance() + early_s, self._retry_early)

    def _retry_early(self) -> None:
        self._early_s = self._context.monotonic_s()
        self._retry()

    def _drop_gop(self) -> None:
        if self.source is not None:
            self.source.fanout.release_gop()

    def _cancel_retry(self) -> None:
        self._retry_timer.cancel()
        self._watch.stop()

    def _keep_task(self, task: asyncio.Task[None]) -> None:
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def _planned_fps(camera: CameraV1) -> float | None:
    return camera.expected.fps if camera.expected is not None else None


def sample_media(puller: CameraPuller, context: RelayContext) -> None:
    """See whether the camera's pictures come; call about four times a second."""
    source = puller.live_source
    if source is not None and puller.media_watch.sample(source, context.monotonic_s()):
        puller.media_watch.date(context.now())

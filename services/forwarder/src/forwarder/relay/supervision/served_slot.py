"""The place of one served delivery's sessions: the centre opens them, as many as its destination allows."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from forwarder.domain.progress import Opened, Progress
from forwarder.domain.serving.asking import Asking
from forwarder.domain.serving.served_delivery import NotBack, Refused, SessionLeft, SessionsEnded
from forwarder.relay.destinations.base import Counts, SessionProgress
from forwarder.relay.server.offers import Offer, Offers, PlayingSession
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.supervision.context import RelayContext
from vonggac.events.causes import Cause
from vonggac.events.forwarder import CentreRequest, ServedSession
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.inventory.serving import served_path
from vonggac.net.errors import PeerError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

type ServedEvent = Opened | Refused | SessionLeft | SessionsEnded | NotBack
type OnServedEvent = Callable[[ServedEvent], None]

REFUSALS_LOGGED_S = 60.0
"""One line a minute and delivery: a centre with a wrong password asks every few seconds."""


class ServedSlot:
    """Offers the camera, reads and ends its sessions. Decides nothing: what happens is reported as an event."""

    def __init__(self, context: RelayContext, offers: Offers, on_event: OnServedEvent, asking: Asking) -> None:
        self.asking = asking
        self.unreachable = False
        self.sessions = 0
        """Sessions begun since this worker took the camera."""
        self._context, self._offers, self._on_event = context, offers, on_event
        self._loop = asyncio.get_running_loop()
        self._offer: Offer | None = None
        self._source: CameraSource | None = None
        self._playing: dict[PlayingSession, Progress] = {}
        self._stalled: set[PlayingSession] = set()
        """Those that are being ended because their centre reads nothing."""
        self._counts_before = Counts()
        self._carried = 0
        """Bytes that sessions which have ended took, while another one was open."""
        self._logged_s = float("-inf")

    @property
    def is_open(self) -> bool:
        return bool(self._playing)

    @property
    def is_opening(self) -> bool:
        """Nothing of ours dials."""
        return False

    @property
    def over_udp(self) -> bool:
        """Whether every open session gets its media over UDP."""
        return all(session.over_udp for session in self._playing)

    @property
    def counts(self) -> Counts:
        """Of all sessions since this worker took the camera."""
        return sum((session.counts for session in self._playing), self._counts_before)

    @property
    def taken_by(self) -> tuple[ServedSession, ...]:
        """The open sessions."""
        return tuple(session.describe() for session in self._playing)

    @property
    def now(self) -> datetime:
        """The time that facts are dated by."""
        return self._context.now().at

    def offer_delivery(self, plan: PlannedDelivery) -> None:
        """Know the delivery's address, account and rules from now on; media is there with `open_session`.

        What another plan no longer allows ends.
        """
        assert plan.serving is not None, "it is served"
        context, serving = self._context, plan.serving
        self.asking = replace(self.asking, unusable=None)
        try:
            credentials = context.open_secret(plan.secret, plan.url)
            previous = context.open_secret(serving.previous_secret, plan.url)
            if credentials is None:
                raise PeerError(Cause.SECRET_UNREADABLE, "the plan holds no password for the centre")
        except PeerError as error:
            log.error("centre_not_served", delivery_id=str(plan.id), cause=error.cause, error=error.message)
            self.withdraw_offer()
            self.asking = replace(self.asking, unusable=error.cause)
            return
        offer, path = self._offer, served_path(plan.url)
        if offer is None or (offer.path, offer.serving.account) != (path, serving.account):
            self.withdraw_offer()
            offer = Offer(
                serving,
                credentials,
                previous,
                path,
                on_request=self._requested,
                on_refused=self._refused,
                on_began=self._began,
                on_ended=self._ended,
                source=self._source,
            )
            self._offer = offer
            self._offers.add(offer)
        offer.serving, offer.credentials, offer.previous = serving, credentials, previous
        if context.accounts is not None:
            context.accounts.note_plan(plan)
        for session in [each for each in self._playing if not offer.allows(each.describe())]:
            session.end(reset=False)
            self._ended(session, False)

    def withdraw_offer(self) -> None:
        """Serve it no more, and end its sessions."""
        offer, self._offer = self._offer, None
        if offer is not None:
            offer.source = None
            self._offers.remove(offer)
        for session in tuple(self._playing):
            session.end(reset=False)
            self._ended(session, False)

    def open_session(self, plan: PlannedDelivery, source: CameraSource) -> None:
        """Give the camera to whoever asks."""
        if self._offer is None:
            self.offer_delivery(plan)
        self._source = source
        if self._offer is not None:
            self._offer.source = source
        self._keep_group()

    def read_session(self, now_s: float) -> SessionProgress | None:
        """Of all open sessions together: they are as good as the best one; None without any.

        A session whose centre reads nothing for `drop_s` is ended.
        """
        if not self._playing:
            return None
        read = [self._read(session, now_s) for session in self._playing]
        return SessionProgress(
            self._carried + sum(one.written for one in read),
            self._carried + sum(one.acknowledged for one in read),
            min(one.unread_for_s for one in read),
            doubtful=any(one.doubtful for one in read),
            ack_age_s=min(one.ack_age_s for one in read),
            hint=next((one.hint for one in read if one.hint is not None), None),
        )

    def close_session(self, *, orderly: bool) -> None:
        """End every session and give no more of the present source."""
        self._release_group()
        self._source = None
        if self._offer is not None:
            self._offer.source = None
        for session in tuple(self._playing):
            self._forget_session(session)
            session.end(reset=not orderly)

    def wait_for(self, ending: asyncio.Task[None]) -> None:
        """Wait for nothing: a centre may have any number of old sessions."""

    async def wait_closed(self) -> None:
        """Let what was written last get out."""
        await asyncio.sleep(0)

    def offer_audio_again(self) -> None:
        """Whoever pulls chooses by itself what it sets up."""

    # What the server says of the offer.

    def _requested(self, by: str) -> None:
        self.asking = self.asking.note_request(self._context.now().at, by)

    def note_request_elsewhere(self, asked: CentreRequest) -> None:
        """Its centre asked another worker for the camera, and did not come through to this one."""
        if asked.refused_for is None:
            self._requested(asked.by)
        else:
            self._refused(asked.refused_for, asked.by, times=asked.times)

    def _refused(self, why: Cause, by: str, *, times: int = 1) -> None:
        self.asking = self.asking.note_refused(why, self._context.now().at, by, times=times)
        now_s = self._context.monotonic_s()
        if now_s - self._logged_s >= REFUSALS_LOGGED_S:
            self._logged_s = now_s
            log.warning("centre_refused", path=self._offer.path if self._offer else None, cause=why, by=by)
        self._on_event(Refused())

    def _began(self, session: PlayingSession) -> None:
        self.sessions += 1
        self.asking = self.asking.note_session()
        first = not self._playing
        if first:
            self._carried = 0
        now = self._context.now()
        self._playing[session] = Progress(opened_s=now.monotonic_s, read_at=now.at)
        if first:
            # The group of pictures is older than the session, and this centre may have had it in the one before.
            self._on_event(Opened())
        self._loop.call_soon(self._release_group)

    def _ended(self, session: PlayingSession, interrupted: bool) -> None:
        if session not in self._playing:
            return
        stalled = session in self._stalled
        self._stalled.discard(session)
        alone = len(self._playing) == 1
        if alone:
            self.asking = self.asking.note_session(interrupted=interrupted)
            self._on_event(SessionsEnded(stalled))
        counts = session.counts
        self._forget_session(session)
        if alone:
            self._keep_group()
        else:
            self._on_event(SessionLeft(counts.bytes_written - counts.bytes_acknowledged))

    def _forget_session(self, session: PlayingSession) -> None:
        del self._playing[session]
        self._counts_before += session.counts
        self._carried += session.counts.bytes_acknowledged

    def _read(self, session: PlayingSession, now_s: float) -> SessionProgress:
        """Read one session, and end it if nothing of it was acknowledged for too long: so its centre notices."""
        read = session.read_progress(now_s)
        before = self._playing[session]
        progress = before.advanced(read.written, read.acknowledged, read.unread_for_s, self._context.now())
        self._playing[session] = progress
        waits_s = now_s - progress.acknowledged_s if progress.pending and not read.doubtful else 0.0
        if waits_s >= self._context.limits.drop_s and session not in self._stalled:
            self._stalled.add(session)
            session.end(reset=True)
            # Not amid a reading of them all.
            self._loop.call_soon(self._ended, session, False)
        return read

    def _keep_group(self) -> None:
        """Keep the group of pictures that is under way: a centre that is waited for begins with it."""
        if self._source is not None and not self._playing:
            self._source.fanout.keep_gop_for(self)

    def _release_group(self) -> None:
        if self._source is not None:
            self._source.fanout.release_gop(self)

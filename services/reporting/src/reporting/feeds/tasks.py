"""The background tasks of the feeds: the watcher fills the outbox, publisher and webhooks empty it, the urger urges,
the keeper of regimes freezes and sends reports."""

from collections.abc import Callable
from datetime import datetime

from reporting.feeds.focal_points import FocalPoints
from reporting.feeds.sealing import Seal
from reporting.feeds.watcher import Watcher
from reporting.feeds.webhooks import WebhookSender
from reporting.messaging import Feed, Publisher
from reporting.settings import Settings
from reporting.storage.sending.notices import Outbox
from reporting.urging.obligations import Obligations
from reporting.urging.regimes import RegimeKeeper
from reporting.urging.urger import Urger
from vonggac.database import Database
from vonggac.http.background import TaskSupervisor


class FeedTasks:
    """Started in order by the app. Without a seal no webhook has a secret that could be read, and none is sent."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        feed: Feed,
        seal: Seal | None,
        is_transient: Callable[[Exception], bool],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        """`clock` gives aware UTC."""
        allowed = settings.allowed
        self._ready = feed.begun
        self._publisher = Publisher(feed, Outbox(database), is_transient)
        self._sender = None if seal is None else WebhookSender(database, seal, allowed, clock=clock)
        self.focal_points = FocalPoints(feed)
        obligations = Obligations(settings)
        self._watcher = Watcher(database, settings, duties=obligations.notices, wake=self.wake, clock=clock)
        self.urger = Urger(database, settings, seal, obligations=obligations.list_owed, clock=clock)
        self._regimes = RegimeKeeper(database, settings, seal, clock=clock, behind=lambda: feed.behind, wake=self.wake)

    def wake(self) -> None:
        """There is something to send."""
        self._publisher.wake()
        if self._sender is not None:
            self._sender.wake()

    def start(self, tasks: TaskSupervisor) -> None:
        """In the order that app.py explains."""
        tasks.start("publisher", self._publisher.run())
        if self._sender is not None:
            tasks.start("webhooks", self._sender.run(self._ready))
        tasks.start("watcher", self._watcher.run(self._ready))
        tasks.start("urger", self.urger.run(self._ready))
        tasks.start("regimes", self._regimes.run(self._ready))

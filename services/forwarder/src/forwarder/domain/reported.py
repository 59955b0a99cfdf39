"""What a report needs of a camera that is held, and of its deliveries."""

from datetime import datetime
from typing import Protocol

from forwarder.domain.camera_pull import Media, Pull
from forwarder.domain.delivery import Delivery
from forwarder.domain.serving.asking import Asking
from vonggac.events.causes import Cause
from vonggac.events.forwarder import PictureSign, ServedSession
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import AgreeingReadBacks


class DatedMedia(Protocol):
    """When a camera's media began and stopped."""

    @property
    def media(self) -> Media: ...


class ShownPicture(Protocol):
    """What a camera shows since it showed another picture."""

    @property
    def since(self) -> datetime: ...
    @property
    def sign(self) -> PictureSign: ...
    @property
    def judged(self) -> bool: ...
    @property
    def cause(self) -> Cause | None: ...


class WatchedPicture(Protocol):
    """Of a camera's keyframes."""

    @property
    def picture(self) -> ShownPicture | None: ...


class WatchedKeyframes(Protocol):
    """What a report needs of a camera's keyframes."""

    @property
    def watch(self) -> WatchedPicture: ...


class ReportedCamera(Protocol):
    """What a report needs of a camera that is held."""

    @property
    def camera(self) -> CameraV1: ...
    @property
    def held_since(self) -> datetime: ...
    @property
    def pull(self) -> Pull: ...
    @property
    def media_watch(self) -> DatedMedia: ...
    @property
    def keyframes(self) -> WatchedKeyframes: ...


class Counts(Protocol):
    """Of all sessions of a delivery since its camera is held."""

    @property
    def bytes_acknowledged(self) -> int: ...
    @property
    def bytes_written(self) -> int: ...
    @property
    def packets_sent(self) -> int: ...
    @property
    def packets_dropped(self) -> int: ...
    @property
    def groups_dropped(self) -> int: ...
    @property
    def frames_sent(self) -> int: ...


class CountingSlot(Protocol):
    """Where a delivery's sessions are counted."""

    @property
    def counts(self) -> Counts: ...


class ServingStatus(Protocol):
    """What a report needs of a centre that pulls."""

    @property
    def asking(self) -> Asking: ...
    @property
    def taken_by(self) -> tuple[ServedSession, ...]: ...
    @property
    def now(self) -> datetime: ...


class ReportedDelivery(Protocol):
    """What a report needs of a delivery."""

    @property
    def plan(self) -> PlannedDelivery: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def slot(self) -> CountingSlot: ...

    serving: ServingStatus | None
    """What the centre does, where it pulls; None where it is published to."""
    agreed: AgreeingReadBacks | None
    """Read-backs that no fact carries yet; the report takes them."""

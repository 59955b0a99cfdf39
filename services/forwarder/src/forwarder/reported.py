"""What reports need of a camera and its deliveries: the supervisors of `forwarder.relay` have it."""

from datetime import datetime
from typing import Protocol

from forwarder.domain.camera_pull import Media, Pull
from forwarder.domain.delivery import Delivery
from vonggac.events.inventory import CameraV1, PlannedDelivery


class ReportedCamera(Protocol):
    """What a report needs of a camera that is held."""

    @property
    def camera(self) -> CameraV1: ...
    @property
    def held_since(self) -> datetime: ...
    @property
    def pull(self) -> Pull: ...
    @property
    def media(self) -> Media: ...


class Stillness(Protocol):
    """Since when, and until when, a camera's keyframes were identical."""

    @property
    def still_since(self) -> datetime | None: ...
    @property
    def still_until(self) -> datetime | None: ...


class ReportedMedia(ReportedCamera, Protocol):
    """What a report of a camera's media needs."""

    @property
    def keyframes(self) -> Stillness: ...
    @property
    def released(self) -> bool: ...


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


class ReportedDelivery(Protocol):
    """What a report needs of a delivery."""

    @property
    def plan(self) -> PlannedDelivery: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def slot(self) -> CountingSlot: ...

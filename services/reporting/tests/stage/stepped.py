"""A bus whose clock steps, and workers that date by it as the product's do, in time that a test makes."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from services.reporting.tests.stage.province import Province

from vonggac.bus import ServerClock
from vonggac.bus.clock import MEASURE_EVERY_S, Measurement
from vonggac.events import CloudEvent, Payload
from vonggac.events.forwarder import ForwarderAliveV1
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import ProberAliveV1
from vonggac.telemetry.awake import Awake

TICK_S = 4
HANDLE_EVERY_S = 20
PROBE_EVERY_S = 20
type Spans = list[tuple[float, float]]


def within(spans: Spans, at_s: float) -> bool:
    return any(start <= at_s < end for start, end in spans)


@dataclass
class Truth:
    """Seconds since the beginning: when something was so."""

    skews: list[tuple[float, float, int]] = field(default_factory=list)
    """From, until, and by how many seconds the clock of the bus is ahead."""
    off: Spans = field(default_factory=list)
    """The camera does not answer."""
    dead: Spans = field(default_factory=list)
    """The forwarder does not live; a new process comes after it."""
    blind: Spans = field(default_factory=list)
    """The prober does not live."""

    def skew_s(self, at_s: float) -> int:
        return sum(by_s for start, end, by_s in self.skews if start <= at_s < end)


class Worker:
    """What forwarder and prober share: a clock of the bus, measured now and then, and a life."""

    def __init__(self, stage: "Stage", kind: str, offset_s: float) -> None:
        self.stage, self.id = stage, f"{kind}-{uuid4().hex[:12]}"
        self.clock = ServerClock(wall=lambda: 0.0, elapsed=lambda: stage.at_s)
        self._due_s = stage.at_s + offset_s
        self._measure()
        self.awake: Awake = self.clock.new_awake()
        self.sequence = 0

    def _measure(self) -> None:
        at_s = self.stage.at_s
        self.clock.use_measurement(Measurement(at_s, self.stage.server_s, 0.001))

    def tick(self) -> bool:
        """Let the time of a tick pass; returns whether it began anew."""
        if self.stage.at_s >= self._due_s:
            self._due_s += MEASURE_EVERY_S
            self._measure()
        return self.awake.check()

    def number(self, event: CloudEvent[Payload]) -> CloudEvent[Payload]:
        self.sequence += 1
        data = event.data
        if isinstance(data, ForwarderAliveV1 | ProberAliveV1):
            data = data.model_copy(update={"clock_stepped_s": self.clock.stepped_s})
        return event.model_copy(update={"publisher": self.id, "publishersequence": self.sequence, "data": data})


type Publish = Callable[[float, Sequence[CloudEvent[Payload]]], Awaitable[None]]
"""Stores events when the clock of the bus shows these seconds since 1970."""
type Handle = Callable[[], Awaitable[Mapping[str, datetime]]]
"""Reporting's; returns until when facts of which workers are lost."""


class Stage:
    """One camera with two centres, a forwarder and a prober."""

    def __init__(self, province: Province, truth: Truth, *, began: datetime) -> None:
        self.province, self.truth, self.began, self.at_s = province, truth, began, 0.0
        self.camera: CameraV1 = province.camera()
        self.forwarder: Worker | None = None
        self.prober: Worker | None = None
        self._said: dict[int, str] = {}
        self._changes, self._probed_s = 0, -1e9

    @property
    def server_s(self) -> float:
        """What the clock of the bus shows."""
        return self.began.timestamp() + self.at_s + self.truth.skew_s(self.at_s)

    def moment(self, at_s: float) -> datetime:
        return self.began + timedelta(seconds=at_s)

    async def play(self, seconds: float, publish: Publish, handle: Handle) -> None:
        """Let so much time pass."""
        while self.at_s < seconds:
            await publish(self.server_s, list(self._facts()))
            if self.at_s % HANDLE_EVERY_S == 0:
                self._answer(await handle())
            self.at_s += TICK_S
        await handle()

    def _answer(self, lost: Mapping[str, datetime]) -> None:
        worker = self.forwarder
        until = None if worker is None else lost.get(worker.id)
        if worker is not None and until is not None and until >= worker.awake.since:
            worker.awake.begin_anew()
            self._said = {}

    def _facts(self) -> Iterable[CloudEvent[Payload]]:
        yield from self._forwarded()
        yield from self._probed()

    def _forwarded(self) -> Iterable[CloudEvent[Payload]]:
        if within(self.truth.dead, self.at_s):
            self.forwarder = None
            return
        if self.forwarder is None:
            self.forwarder, self._said = Worker(self, "forwarder", 3.0), {}
        worker = self.forwarder
        if worker.tick():
            self._said = {}
        now, since = worker.clock.now(), worker.awake.since
        state = "waiting_for_camera" if within(self.truth.off, self.at_s) else "acknowledged"
        for place, planned in enumerate(self.camera.deliveries):
            if self._said.get(place) != state:
                self._said[place] = state
                self._changes += 1
                yield worker.number(
                    self.province.change(
                        planned, self.camera, self._changes, max(now, since), state, worker=worker.id, held_since=since
                    )
                )
        yield worker.number(self.province.alive(now, worker.id, since))

    def _probed(self) -> Iterable[CloudEvent[Payload]]:
        if within(self.truth.blind, self.at_s):
            self.prober = None
            return
        if self.prober is None:
            self.prober = Worker(self, "prober", 7.0)
        worker = self.prober
        worker.tick()
        now, since = worker.clock.now(), worker.awake.since
        yield worker.number(self.province.prober_alive(now, worker.id, since))
        if self.at_s - self._probed_s < PROBE_EVERY_S:
            return
        self._probed_s = self.at_s
        down = within(self.truth.off, self.at_s)
        yield worker.number(
            self.province.probe(
                self.camera,
                now,
                "down" if down else "up",
                cause="timeout" if down else None,
                every_s=PROBE_EVERY_S,
                worker=worker.id,
                awake_since=since,
            )
        )

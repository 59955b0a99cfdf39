"""Compliance by destination for Prometheus: how cameras stand now, and where the last hour went.

From the same accounts as every report. Computed when it is scraped, at most once in `KEPT_S`,
whoever scrapes and however often: between two computations everybody gets the same page.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from reporting.domain.instants import Millis, duration, millis, seconds
from reporting.domain.partition import LEDGER_NAMES
from reporting.domain.segments import Period
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.settings import Settings
from reporting.storage import plan
from reporting.storage.snapshot import snapshot
from vonggac.database import Database
from vonggac.http.metrics.exposition import exposition

HOUR_MS: Millis = 3_600_000
KEPT_S = 30.0
"""For so long the same figures are answered."""
OUT_OF_SCOPE = CameraState.OUT_OF_SCOPE.value


@dataclass(slots=True)
class Sums:
    """What the page shows. Destinations by code and role."""

    as_of: Millis = 0
    cameras: dict[str, int] = field(default_factory=dict)
    compliance: dict[str, int] = field(default_factory=dict)
    destinations: dict[tuple[str, str, str], int] = field(default_factory=dict)
    lengths: dict[tuple[str, str, str], Millis] = field(default_factory=dict)

    def add(self, portion: Sequence[CameraAccount]) -> None:
        """Count cameras and their deliveries."""
        for one in portion:
            now = one.now
            assert now is not None, "the period reaches now"
            _count(self.cameras, now.camera.state)
            gone = now.camera.state == OUT_OF_SCOPE
            demanded = {planned.id for planned in one.camera.pieces[-1].value.deliveries}
            _count(self.compliance, OUT_OF_SCOPE if gone else _word(now.compliant, "compliant", "non_compliant"))
            for planned, connected, ledger in zip(
                one.camera.deliveries, now.connected, one.account.deliveries, strict=True
            ):
                key = planned.destination.code or "", planned.role or "unknown"
                off = gone or not planned.enabled or planned.id not in demanded
                word = OUT_OF_SCOPE if off else _word(connected, "connected", "not_connected")
                _count(self.destinations, (*key, word))
                for part in LEDGER_NAMES:
                    self.lengths[*key, part] = self.lengths.get((*key, part), 0) + getattr(ledger, part)


def _word(value: bool | None, good: str, bad: str) -> str:
    return "unknown" if value is None else good if value else bad


def _count[K](counts: dict[K, int], key: K) -> None:
    counts[key] = counts.get(key, 0) + 1


class _Page(Collector):
    def __init__(self, sums: Sums) -> None:
        self._sums = sums

    def collect(self) -> Iterable[Metric]:
        sums = self._sums
        cameras = GaugeMetricFamily("vonggac_compliance_cameras", "Cameras by how they stand now.", labels=("state",))
        for state in CameraState:
            cameras.add_metric((state.value,), sums.cameras.get(state.value, 0))
        yield cameras
        compliance = GaugeMetricFamily(
            "vonggac_compliance_verdicts", "Cameras by whether they comply now (R10).", labels=("verdict",)
        )
        for verdict in ("compliant", "non_compliant", "unknown", OUT_OF_SCOPE):
            compliance.add_metric((verdict,), sums.compliance.get(verdict, 0))
        yield compliance
        connections = GaugeMetricFamily(
            "vonggac_compliance_destination_cameras",
            "Cameras by how each destination has them now.",
            labels=("destination", "role", "connection"),
        )
        for key, count in sorted(sums.destinations.items()):
            connections.add_metric(key, count)
        yield connections
        lengths = GaugeMetricFamily(
            "vonggac_compliance_destination_seconds",
            "Camera-seconds of the last hour by destination; the parts add up to the hour.",
            labels=("destination", "role", "part"),
        )
        for key, length in sorted(sums.lengths.items()):
            lengths.add_metric(key, seconds(length))
        yield lengths
        yield GaugeMetricFamily(
            "vonggac_compliance_as_of_seconds", "When this was computed, as a Unix time.", value=seconds(sums.as_of)
        )


class ComplianceMetrics:
    """The page, and when it was computed last."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._page: tuple[datetime, bytes] | None = None
        self._computing = asyncio.Lock()

    async def page(self, now: datetime) -> bytes:
        """In Prometheus' text format. Raises what PostgreSQL raises."""
        async with self._computing:
            kept = timedelta(seconds=KEPT_S)
            if self._page is None or not timedelta() <= now - self._page[0] < kept:
                self._page = now, await self._compute(now)
            return self._page[1]

    async def _compute(self, now: datetime) -> bytes:
        at = millis(now)
        question = Question(Period(at - HOUR_MS, at), at, duration(self._settings.presumed_alive_s))
        sums = Sums(as_of=at)
        async with snapshot(self._database) as session:
            places = await plan.places(session, plan.Scope(), question.period)
            cameras = await plan.cameras(session, places)
            async for _ in accounts(session, question, cameras, sums.add):
                pass
        registry = CollectorRegistry()
        registry.register(_Page(sums))
        return await exposition(registry)

"""What an installation of so many cameras needs: sums of what was measured, of the settings' defaults and the chart's.

Every camera is forwarded to two centres, probed with a decoded picture once in `VONGGAC_PROBER_DEEP_INTERVAL_S`, and
both deliveries are read back once in `VONGGAC_PROBER_VERIFY_INTERVAL_S`.
"""

from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

import forwarder.settings
import prober.settings
from bench.figures.measured import RENEWED_CAMERAS, Measured, Range

DELIVERIES = 2
VALUES = Path(__file__).parents[2] / "deploy/k8s/vonggac/values.yaml"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the settings and the chart say unless somebody says otherwise."""

    max_cameras: int
    verifications: int
    verify_interval_s: float
    deep_interval_s: float
    probes: int
    silent_share: float
    window_s: float
    cameras_per_forwarder: int
    cameras_per_prober: int
    proven_per_prober: int
    forwarder_cpu_m: int
    cpu_percent: int


def defaults() -> Defaults:
    """Those of this checkout."""
    chart = yaml.safe_load(VALUES.read_text("utf-8"))
    of_prober = prober.settings.Settings
    return Defaults(
        max_cameras=int(_default(forwarder.settings.Settings, "max_cameras")),
        verifications=int(_default(of_prober, "max_concurrent_verifications")),
        verify_interval_s=float(_default(of_prober, "verify_interval_s")),
        deep_interval_s=float(_default(of_prober, "deep_interval_s")),
        probes=int(_default(of_prober, "max_concurrent_probes")),
        silent_share=float(_default(of_prober, "silent_share")),
        window_s=float(_default(of_prober, "measure_window_s")),
        cameras_per_forwarder=chart["forwarder"]["keda"]["camerasPerReplica"],
        cameras_per_prober=chart["prober"]["keda"]["camerasPerReplica"],
        proven_per_prober=chart["prober"]["keda"]["provenPerReplica"],
        forwarder_cpu_m=int(chart["forwarder"]["resources"]["requests"]["cpu"].removesuffix("m")),
        cpu_percent=chart["forwarder"]["autoscaling"]["cpuPercent"],
    )


def _default(settings: type[BaseSettings], field: str) -> Any:
    return settings.model_fields[field].default


@dataclass(frozen=True, slots=True)
class Sums:
    """Of `cameras` cameras."""

    measured: Measured
    defaults: Defaults
    cameras: int

    @property
    def forwarders_full(self) -> int:
        """Processes that hold all cameras, each as many as it may."""
        return ceil(self.cameras / self.defaults.max_cameras)

    @property
    def forwarders(self) -> int:
        """Pods as KEDA makes them: with room for the cameras of those that fail."""
        return ceil(self.cameras / self.defaults.cameras_per_forwarder)

    @property
    def forwarding_cores(self) -> Range:
        """CPU of relaying, of all forwarders."""
        return self.measured.relay_ms.times(self.cameras / 1000)

    @property
    def full_forwarder_m(self) -> int:
        """Millicores of a forwarder that holds all it may."""
        return floor(self.measured.relay_ms.most * self.defaults.max_cameras)

    @property
    def base_gb(self) -> Range:
        """Memory of the forwarders' processes, before a camera is held."""
        return self.measured.forwarder_mb.times(self.forwarders_full / 1000)

    @property
    def cameras_gb(self) -> Range:
        """Memory of the cameras held."""
        return self.measured.camera_mb.times(self.cameras / 1000)

    @property
    def cameras_tls_gb(self) -> Range:
        """The same under TLS to both centres."""
        return self.measured.camera_tls_mb.times(self.cameras / 1000)

    @property
    def proven_at_most(self) -> int:
        """Cameras whose deliveries one prober reads back in the interval."""
        d = self.defaults
        return floor(d.verifications * d.verify_interval_s / self.measured.proof_s.most)

    @property
    def probers_of_proof(self) -> int:
        """Probers that read all deliveries back in the interval, none of them failing."""
        return ceil(self.cameras / self.proven_at_most)

    @property
    def probers(self) -> int:
        """Pods as KEDA makes them, by the queue that asks for more."""
        d = self.defaults
        return max(ceil(self.cameras / d.proven_per_prober), ceil(self.cameras / d.cameras_per_prober))

    @property
    def probed_at_most(self) -> int:
        """Cameras that one prober probes deep in the interval, in the places that silent ones cannot take."""
        d = self.defaults
        return floor(d.probes * (1 - d.silent_share) * d.deep_interval_s / d.window_s)

    @property
    def probing_cores(self) -> Range:
        """CPU of the deep probes, of all probers."""
        return self.measured.deep_probe_ms.times(self.cameras / self.defaults.deep_interval_s / 1000)

    @property
    def proving_cores(self) -> Range:
        """CPU of the read-backs, of all probers."""
        read_backs_per_s = self.cameras * DELIVERIES / self.defaults.verify_interval_s
        return self.measured.read_back_ms.times(read_backs_per_s / 1000)

    @property
    def probing_and_proving_cores(self) -> Range:
        """CPU of all probers."""
        return self.probing_cores.plus(self.proving_cores)

    @property
    def renewing_nats_cores(self) -> Range:
        """CPU of three NATS nodes for jobs kept in progress."""
        m = self.measured
        return m.renewals_leader_cores.plus(m.renewals_follower_cores.times(2)).times(self.cameras / RENEWED_CAMERAS)

    @property
    def renewing_forwarder_cores(self) -> Range:
        """CPU of the forwarders for the same."""
        return self.measured.renewals_forwarder_cores.times(self.cameras / RENEWED_CAMERAS)

    @property
    def observations_per_s(self) -> float:
        """Facts that the deep probes make."""
        return self.cameras / self.defaults.deep_interval_s

    @property
    def ingesting_cores(self) -> Range:
        """CPU of reporting for them."""
        m = self.measured.ingest_per_s
        return Range(self.observations_per_s / m.most, self.observations_per_s / m.least)

    @property
    def all_cores(self) -> Range:
        """CPU of the whole platform."""
        total = self.forwarding_cores
        for part in (self.probing_cores, self.proving_cores, self.renewing_nats_cores):
            total = total.plus(part)
        return total.plus(self.renewing_forwarder_cores).plus(self.ingesting_cores)


def update_steps(pods: int, surge_percent: int) -> int:
    """Steps of a rolling update: so many pods are replaced at a time, at least one."""
    return ceil(pods / max(1, ceil(pods * surge_percent / 100)))

"""What the four services measure alike: readiness by check, the process, its release, requests, certificates, keys."""

import platform
import time

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from vonggac.http.metrics.requests import RequestMetrics
from vonggac.telemetry.certificates import not_after
from vonggac.telemetry.health import Health
from vonggac.telemetry.public_keys import unread_for_s


class ServiceMetrics:
    """A registry of its own: that of the service may outlive an app."""

    def __init__(self, service: str, version: str, health: Health) -> None:
        self.registry = CollectorRegistry()
        self._health = health
        self.ready = Gauge(
            f"vonggac_{service}_ready",
            "1 while a check of readiness passes, 0 while it fails or degrades the service.",
            ("check",),
            registry=self.registry,
        )
        self.certificates = Gauge(
            f"vonggac_{service}_tls_not_after_timestamp_seconds",
            "Until when a certificate holds that this process met or trusts, in Unix time.",
            ("peer",),
            registry=self.registry,
        )
        self.keys = Gauge(
            f"vonggac_{service}_public_keys_unread_seconds",
            "For how long the keys that sign tokens cannot be read; 0 when the last reading succeeded.",
            registry=self.registry,
        )
        self.build = Gauge(
            f"vonggac_{service}_build_info",
            "1; the release is in the labels.",
            ("version", "python"),
            registry=self.registry,
        )
        self.build.labels(version, platform.python_version()).set(1)
        self.requests = RequestMetrics(service, self.registry)
        ProcessCollector(registry=self.registry)

    async def measure(self) -> None:
        """Make the checks of readiness, at most once in a few seconds; takes as long as `/readyz`."""
        for name, reason in (await self._health.results()).items():
            self.ready.labels(name).set(reason is None)
        for peer, ends in not_after().items():
            self.certificates.labels(peer).set(ends)
        self.keys.set(unread_for_s(time.monotonic()))

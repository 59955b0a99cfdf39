"""One look at a camera from the inventory: opens its secret, picks the probe, and guards the worker."""

import time
from collections.abc import Mapping
from types import MappingProxyType

from prober.domain.result import Judgement, ProbeResult
from prober.domain.verdict import unknown
from prober.probes.rtsp import probe_rtsp
from prober.probes.target import Probe, Target, Tools
from vonggac.auth import Credentials, SecretUnreadableError, Unsealer
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

PROBES: Mapping[str, Probe] = MappingProxyType({"rtsp": probe_rtsp})
"""The probe of each URL scheme."""


class Looker:
    """Looks at cameras; whatever happens comes back as a value."""

    def __init__(self, tools: Tools, unsealer: Unsealer, probes: Mapping[str, Probe] = PROBES) -> None:
        self._tools, self._unsealer, self._probes = tools, unsealer, probes

    async def look(self, camera: CameraV1) -> ProbeResult:
        """One attempt, at most `probe_timeout_s` (and the probe's bounded good-bye) long."""
        started = time.monotonic()
        try:
            return await self._look(camera)
        except Exception as error:
            # A mistake of ours is a verdict with a cause, not a dead worker.
            log.error("probe_failed", camera_id=str(camera.id), exc_info=error)
            judgement = unknown(
                Cause.INTERNAL_ERROR, f"the prober made a mistake ({type(error).__name__}), see its log"
            )
            return ProbeResult(judgement, time.monotonic() - started)

    async def _look(self, camera: CameraV1) -> ProbeResult:
        scheme = camera.url.partition("://")[0].lower()
        probe = self._probes.get(scheme)
        if probe is None:
            known = ", ".join(f"{name}://" for name in sorted(self._probes))
            return _not_tried(unknown(Cause.TRANSPORT_UNSUPPORTED, f"the camera's URL must begin with {known}"))
        try:
            credentials = self._open(camera.secret)
        except SecretUnreadableError as error:
            return _not_tried(unknown(Cause.SECRET_UNREADABLE, str(error)))
        return await probe(Target(camera.url, credentials, camera.probe_timeout_s), self._tools)

    def _open(self, secret: str | None) -> Credentials | None:
        return self._unsealer.unseal(secret) if secret is not None else None


def _not_tried(judgement: Judgement) -> ProbeResult:
    return ProbeResult(judgement, 0.0)

"""Probing a simulated camera as the service does, with every check."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from prober.domain.result import ProbeResult
from prober.probes.camera.picture_store import References
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from prober.probes.camera.target import Tools
from simulator.cameras.camera import Camera
from vonggac.auth import Sealer
from vonggac.auth.keys import WORKERS_PUBLIC
from vonggac.bus import Outgoing
from vonggac.events.inventory import CameraV1
from vonggac.testing.secrets import seal

WINDOW_S = 2.5
"""Long enough for rates, whatever the machine is busy with."""


class ProbeCamera:
    """Probes of one camera share one memory."""

    def __init__(self, context: ProbeContext, outgoing: Outgoing, sealer: Sealer) -> None:
        tools = context.tools
        measuring = Tools(tools.allowed_networks, tools.decoder, measure_window_s=WINDOW_S)
        self._prober = CameraProber(replace(context, tools=measuring))
        self._bus, self._outgoing, self._sealer = context.bus, outgoing, sealer
        self._pictures = context.pictures
        self._ids: dict[str, UUID] = {}

    async def __call__(self, camera: Camera | str, **planned: Any) -> ProbeResult:
        """One deep probe; fields of CameraV1 in `planned`, and `login`."""
        url = camera if isinstance(camera, str) else camera.url()
        login = planned.pop("login", None)
        wanted = CameraV1(
            id=self._id(url),
            revision=1,
            changed_at=datetime.now(UTC),
            code="QT-001",
            name="Hành lang",
            facility_id=uuid4(),
            enabled=True,
            url=url,
            secret=seal(self._sealer, *login, url) if login else None,
            probe_interval_s=60.0,
            probe_timeout_s=planned.pop("timeout_s", 8.0),
            **planned,
        )
        result = await self._prober.probe(wanted, ProbePlan(ask_device=wanted.expected is not None))
        assert isinstance(result, ProbeResult)
        if result.judged is not None:
            # As the observer does when it publishes the observation.
            self._pictures.store(wanted.id, result.judged.remember, deep_at=datetime.now(UTC))
        await self._outgoing.drain(within_s=5.0)
        return result

    async def approve(self, camera: Camera) -> None:
        """Take the last probe as the camera's reference."""
        assert await References(self._bus).approve(self._id(camera.url()), by="test")

    def _id(self, url: str) -> UUID:
        return self._ids.setdefault(url, uuid4())


@pytest.fixture
def probe_camera(context: ProbeContext, outgoing: Outgoing, keys_folder: Path) -> ProbeCamera:
    return ProbeCamera(context, outgoing, Sealer.from_file(keys_folder / WORKERS_PUBLIC))

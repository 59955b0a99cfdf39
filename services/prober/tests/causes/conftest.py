"""Looking at a simulated camera as the service does, with every check."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from prober.domain.result import ProbeResult
from prober.probes.camera.picture_store import References
from prober.probes.camera.prober import Looker, LookPlan, Surroundings
from prober.probes.camera.target import Tools
from simulator.cameras.camera import Camera
from vonggac.auth import Sealer
from vonggac.auth.keys import WORKERS_PUBLIC
from vonggac.bus import Outgoing
from vonggac.events.inventory import CameraV1
from vonggac.testing.secrets import seal

WINDOW_S = 2.5
"""Long enough for rates, whatever the machine is busy with."""


class Looking:
    """Looks at one camera have one memory."""

    def __init__(self, surroundings: Surroundings, outgoing: Outgoing, sealer: Sealer) -> None:
        tools = surroundings.tools
        measuring = Tools(tools.allowed_networks, tools.decoder, measure_window_s=WINDOW_S)
        self._looker = Looker(replace(surroundings, tools=measuring))
        self._bus, self._outgoing, self._sealer = surroundings.bus, outgoing, sealer
        self._ids: dict[str, UUID] = {}

    async def __call__(self, camera: Camera | str, **planned: Any) -> ProbeResult:
        """One deep look; fields of CameraV1 in `planned`, and `login`."""
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
        result = await self._looker.look(wanted, LookPlan(ask_device=wanted.expected is not None))
        assert isinstance(result, ProbeResult)
        await self._outgoing.drain(within_s=5.0)
        return result

    async def approve(self, camera: Camera) -> None:
        """Take the last look as the camera's reference."""
        assert await References(self._bus).approve(self._id(camera.url()), by="test")

    def _id(self, url: str) -> UUID:
        return self._ids.setdefault(url, uuid4())


@pytest.fixture
def look_at(surroundings: Surroundings, outgoing: Outgoing, keys_folder: Path) -> Looking:
    return Looking(surroundings, outgoing, Sealer.from_file(keys_folder / WORKERS_PUBLIC))

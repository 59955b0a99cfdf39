"""Sites that go dark together make nobody wait who answers (starve)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from prober.probes import silence
from prober.probes.camera import observer as observer_module
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events.prober import CameraObservedV1, Verdict
from vonggac.media.rtp import build_rtp, interleave
from vonggac.testing.waiting import eventually, measured_lag

if TYPE_CHECKING:
    from services.prober.tests.conftest import Observed, Planner, StartProber

# Five times faster than in the field: probed every 15 s, ten seconds to the deadline, slow after three.
INTERVAL_S, TIMEOUT_S, SLOW_S = 3.0, 2.0, 0.6
SITES, AT_A_SITE, HEALTHY = 4, 24, 20
LATE_S = 1.2
TURNS_SEEN, DEAD_TURNS_SEEN = 5, 3
TURNS = 10
"""Of the loop in one probe, roughly: how often a busy machine's lag comes on top."""

_SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=stub\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    b"a=fmtp:96 packetization-mode=1\r\na=control:trackID=0\r\n"
)
_KEYFRAME = interleave(
    0, build_rtp(b"\x65\x88" + b"k" * 1000, payload_type=96, sequence=1, timestamp=0, ssrc=1, marker=True)
)
_EXTRA = {
    b"DESCRIBE": b"Content-Type: application/sdp\r\nContent-Length: %d\r\n" % len(_SDP),
    b"SETUP": b"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
    b"PLAY": b"Session: 1\r\n",
}
_BODY = {b"DESCRIBE": _SDP, b"PLAY": _KEYFRAME}


class Site:
    """A network of cameras that answer until it goes dark: then it takes connections and says nothing."""

    def __init__(self) -> None:
        self.is_dark = False
        self.describes_after_s = 0.0
        self.sessions = self.most_sessions = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        self.most_sessions = max(self.most_sessions, self.sessions)
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                if self.is_dark:
                    continue
                method = request.split(b" ", 1)[0]
                if method == b"DESCRIBE":
                    await asyncio.sleep(self.describes_after_s)
                cseq = request.partition(b"CSeq: ")[2].split(b"\r\n", 1)[0]
                head = b"RTSP/1.0 200 OK\r\nCSeq: " + cseq + b"\r\n" + _EXTRA.get(method, b"") + b"\r\n"
                writer.write(head + _BODY.get(method, b""))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.sessions -= 1
            writer.close()


@asynccontextmanager
async def serving(site: Site, host: str) -> AsyncIterator[str]:
    server = await asyncio.start_server(site.serve, host, 0)
    try:
        yield f"rtsp://{host}:{server.sockets[0].getsockname()[1]}/live"
    finally:
        server.close()


async def remember_good(bus: Bus, camera_id: UUID, *, began_s_ago: float) -> None:
    """A last probe, deep and good, so that light ones follow."""
    now = datetime.now(UTC)
    probe = CameraObservedV1(
        camera_id=camera_id,
        camera_revision=1,
        worker_id="before",
        observed_at=now - timedelta(seconds=began_s_ago),
        verdict=Verdict.UP,
        interval_s=INTERVAL_S,
        duration_ms=0,
        deep_at=now,
    )
    await Bucket(bus, topology.CAMERA_STATUS).put(str(camera_id), probe.model_dump_json().encode())


async def plan(planner: Planner, bus: Bus, good_url: str, dark_urls: list[str]) -> tuple[list[UUID], list[UUID]]:
    """The healthy cameras and those of the sites that go dark, their probes spread over one interval."""
    good: list[UUID] = []
    bad: list[UUID] = []
    total = SITES * AT_A_SITE + HEALTHY
    for number in range(total):
        camera_id = uuid4()
        await remember_good(bus, camera_id, began_s_ago=INTERVAL_S * number / total)
        is_bad = number < SITES * AT_A_SITE
        camera = await planner.camera(
            dark_urls[number % SITES] if is_bad else good_url,
            id=camera_id,
            facility_id=UUID(int=number % SITES + 1) if is_bad else UUID(int=99),
            probe_interval_s=INTERVAL_S,
            probe_timeout_s=TIMEOUT_S,
        )
        (bad if is_bad else good).append(camera.id)
    return good, bad


@pytest.mark.timeout(120)
async def test_four_sites_that_go_dark_together_starve_no_healthy_camera(
    planner: Planner, start_prober: StartProber, observed: Observed, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (silence, observer_module):
        monkeypatch.setattr(module, "SLOW_AFTER_S", SLOW_S)
    monkeypatch.setattr(observer_module, "SLOW_AGAIN_S", 0.2)
    healthy, dark = Site(), [Site() for _ in range(SITES)]
    async with AsyncExitStack() as stack:
        good_url = await stack.enter_async_context(serving(healthy, "127.0.9.1"))
        urls = [
            await stack.enter_async_context(serving(site, f"127.0.{number}.1"))
            for number, site in enumerate(dark, start=1)
        ]
        prober = await start_prober(max_concurrent_probes=64, deep_interval_s=1e6)
        good, bad = await plan(planner, bus, good_url, urls)
        for camera_id in [*good, *bad]:
            await observed.observation(camera_id, within_s=20)
        for site in dark:
            site.is_dark = True
        dark_at = datetime.now(UTC)

        def since_dark(camera_id: UUID) -> list[CameraObservedV1]:
            return [fact for fact in observed.of(camera_id) if fact.observed_at > dark_at]

        def enough() -> bool:
            return all(len(since_dark(one)) >= TURNS_SEEN for one in good) and all(
                len([fact for fact in since_dark(one) if fact.verdict is Verdict.DOWN]) >= DEAD_TURNS_SEEN
                for one in bad
            )

        async with measured_lag() as lag:
            await eventually(enough, within_s=60)
        await prober.stop()
    late_s = LATE_S + TURNS * lag.worst_s
    for camera_id in good:
        facts = since_dark(camera_id)
        assert all(fact.verdict is Verdict.UP for fact in facts)
        gaps = [(later.observed_at - earlier.observed_at).total_seconds() for earlier, later in pairwise(facts)]
        assert max(gaps) <= INTERVAL_S + late_s
    # A dead camera's next verdict comes before its last one ends to hold.
    late = []
    for camera_id in bad:
        facts = since_dark(camera_id)
        starts = [fact.observed_at - timedelta(milliseconds=fact.duration_ms) for fact in facts]
        late += [(b - a).total_seconds() for a, b in pairwise(starts)]
    assert max(late) <= 2 * INTERVAL_S + late_s
    # The bound of a site holds.
    assert max(site.most_sessions for site in dark) <= 8 + 1


async def test_a_camera_that_answers_slowly_makes_its_site_not_dark(
    planner: Planner, start_prober: StartProber, observed: Observed, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (silence, observer_module):
        monkeypatch.setattr(module, "SLOW_AFTER_S", SLOW_S)
    monkeypatch.setattr(observer_module, "SLOW_AGAIN_S", 0.2)
    site = Site()
    # Later than at a dark site an answer may come, and well within the time of a probe.
    site.describes_after_s = 0.65 * TIMEOUT_S
    async with serving(site, "127.0.9.1") as url:
        await start_prober(deep_interval_s=1e6)
        camera_id = uuid4()
        await remember_good(bus, camera_id, began_s_ago=INTERVAL_S)
        await planner.camera(url, id=camera_id, probe_interval_s=1.5, probe_timeout_s=TIMEOUT_S)
        await observed.observation(camera_id, silence.DARK_AFTER + 2, within_s=30)
    assert {(fact.verdict, fact.detail) for fact in observed.of(camera_id)} == {(Verdict.UP, None)}

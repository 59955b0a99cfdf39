"""A camera that begins its recording anew for each client, and one whose picture stands still."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest

from prober.domain.result import ProbeResult
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import Verdict
from vonggac.media.rtp import build_rtp, interleave
from vonggac.rtsp import Request
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, with_cseq

type Frames = list[list[bytes]]


def playing(frames: Frames, *, lost: int | None = None) -> ScriptedCamera:
    """A camera that begins with the first of these pictures whenever it is asked to play; of the picture `lost` the
    last packet does not come."""
    sequences = count(100)
    packets = [
        build_rtp(
            nal, payload_type=96, sequence=next(sequences), timestamp=number * 9_000, ssrc=7, marker=nal is nals[-1]
        )
        for number, nals in enumerate(frames)
        for nal in nals
    ]
    if lost is not None:
        del packets[sum(map(len, frames[: lost + 1])) - 1]
    media = b"".join(interleave(0, packet) for packet in packets)

    def play(request: Request) -> bytes:
        return with_cseq(request, after=media)

    return ScriptedCamera(PLAY=play)


@pytest.mark.parametrize(
    ("verdict", "lost"),
    [(Verdict.UP, None), (Verdict.DOWN, None), (Verdict.DOWN, 2)],
    ids=["a recording", "frozen", "frozen, with a packet lost"],
)
async def test_a_recording_that_begins_anew_for_each_client_is_not_frozen(
    context: ProbeContext, frames: Frames, verdict: Verdict, lost: int | None
) -> None:
    pictures = frames if verdict is Verdict.UP else 3 * frames[:2]
    async with ScriptedPeer(playing(pictures, lost=lost)) as peer:
        now = datetime.now(UTC)
        camera = CameraV1(
            id=uuid4(),
            revision=1,
            changed_at=now,
            code="QT-001",
            name="Cổng",
            facility_id=uuid4(),
            enabled=True,
            url=f"rtsp://127.0.0.1:{peer.port}/live",
            probe_interval_s=60,
            probe_timeout_s=10,
        )
        prober, minute_ago = CameraProber(context), now - timedelta(seconds=60)
        first = await prober.probe(camera, ProbePlan())
        assert isinstance(first, ProbeResult)
        assert first.judged is not None
        context.pictures.store(camera.id, replace(first.judged.remember, taken_at=minute_ago), deep_at=minute_ago)
        again = await prober.probe(camera, ProbePlan(deep_at=minute_ago))
        assert isinstance(again, ProbeResult)
        assert again.judgement.verdict is verdict
        assert ("repeats itself" in again.judgement.not_checked.get(Cause.FROZEN, "")) is (verdict is Verdict.UP)

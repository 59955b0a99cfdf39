"""A probe of a camera that repeats asks what people say of that, and accuses nobody where it cannot know."""

from datetime import UTC, datetime, timedelta

import pytest
from services.prober.tests.probes.camera.test_forwarder_probe import annex_b, forward, planned

from prober.domain.result import ProbeResult
from prober.probes import disputes
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from prober.probes.disputes import DisputeRecord, decided
from vonggac.bus import Bus
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import DisputeDecision, ProbeKind, Verdict

SINCE = datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture
async def camera(bus: Bus, frames: list[list[bytes]]) -> CameraV1:
    """It is forwarded, and shows a recording in a loop, as its forwarder found."""
    made = planned("rtsp://127.0.0.1:1/a")
    await forward(bus, made, annex_b(frames[0]), repeats_since=SINCE.isoformat(), repeats_after_s="20")
    return made


async def probed(context: ProbeContext, camera: CameraV1, kind: ProbeKind = ProbeKind.DEEP) -> ProbeResult:
    result = await CameraProber(context).probe(camera, ProbePlan(kind))
    assert isinstance(result, ProbeResult)
    return result


@pytest.mark.parametrize("kind", [ProbeKind.DEEP, ProbeKind.LIGHT])
async def test_every_probe_of_a_camera_that_repeats_obeys_the_dispute(
    context: ProbeContext, camera: CameraV1, kind: ProbeKind
) -> None:
    assert (await probed(context, camera, kind)).judgement.verdict is Verdict.DOWN
    now = datetime.now(UTC)
    record = DisputeRecord(disputed_at=now, disputed_by="a", reason="It moves.", repeats_since=SINCE)
    assert await context.disputes.store(camera.id, record, 0)
    doubted = (await probed(context, camera, kind)).judgement
    assert (doubted.verdict, doubted.cause) == (Verdict.UNKNOWN, Cause.REPEATS)
    refused = decided(record, DisputeDecision.REFUSED, by="b", reason="I saw it too.", at=now)
    assert await context.disputes.store(camera.id, refused, (await context.disputes.load(camera.id))[1])
    off = await probed(context, camera, kind)
    assert (off.judgement.verdict, off.still_since) == (Verdict.UP, None)
    assert "disputed and refused" in off.judgement.not_checked[Cause.REPEATS]


async def test_a_camera_that_repeats_is_unknown_while_nobody_knows_of_a_dispute(
    context: ProbeContext, camera: CameraV1, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A prober that has just started, and NATS does not answer.
    monkeypatch.setattr(disputes, "READ_WITHIN_S", 0.0)
    judgement = (await probed(context, camera)).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.UNKNOWN, Cause.REPEATS)


async def test_the_second_of_two_who_speak_of_a_dispute_changes_nothing(
    context: ProbeContext, camera: CameraV1
) -> None:
    record = DisputeRecord(disputed_at=datetime.now(UTC), disputed_by="a", reason="It moves.")
    assert await context.disputes.store(camera.id, record, 0)
    assert not await context.disputes.store(camera.id, record.model_copy(update={"disputed_by": "b"}), 0)
    stored, _ = await context.disputes.load(camera.id)
    assert stored == record

"""A read-back that is cut off by our own forwarder says nothing of the destination."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prober.domain.verification import Limits
from prober.probes.verification.verifier import Verifier
from vonggac.events import Cause
from vonggac.events.prober import VerificationVerdict
from vonggac.testing import eventually
from vonggac.testing.media import relay
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer

pytestmark = pytest.mark.slow


def end_session(site: Any, of: str) -> None:
    match of:
        case "hand-over":
            site.worker_id = "forwarder-1"
        case "new stream":
            site.media_since = datetime.now(UTC)
        case "camera away":
            site.media_since = None


@pytest.mark.parametrize("of", ["hand-over", "new stream", "camera away", "nobody"])
async def test_a_read_back_that_our_own_forwarder_ends_accuses_no_centre(
    verifier: Verifier, open_site: Any, of: str
) -> None:
    site = await open_site()
    site.noting = False
    site.notes.clear()
    own = site.delivery(site.national, read_back_url=site.national.stream_url("own"))
    async with AsyncExitStack() as session:
        await session.enter_async_context(
            relay(site.camera.url(), site.national.stream_url("own", with_credentials=True))
        )
        await site.national.wait_for("own", lambda seen: seen.packets > 10)
        checking = asyncio.create_task(verifier.verify(site.camera_id, [own]))
        await eventually(lambda: site.national.streams["own"].viewers == 1)
        packets = site.national.streams["own"].packets
        await eventually(lambda: site.national.streams["own"].packets > packets + 10)
        # The publisher leaves; the centre has done nothing.
        await session.aclose()
        end_session(site, of)
        (found,) = await checking
    if of == "nobody":
        assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.ENDED)
    else:
        assert found.finding.verdict is VerificationVerdict.NOT_CHECKABLE, found.finding.detail


@pytest.mark.parametrize("of", ["hand-over", "new stream", "camera away", "nobody"])
async def test_a_centre_that_is_silent_after_our_own_change_is_not_accused(
    verifier: Verifier, open_site: Any, of: str
) -> None:
    """As one that keeps its viewers when a publisher leaves, and gives them nothing of the next one."""
    site = await open_site()
    async with ScriptedPeer(ScriptedCamera()) as centre:
        silent = site.delivery(site.national, read_back_url=f"rtsp://127.0.0.1:{centre.port}/own")
        checking = asyncio.create_task(verifier.verify(site.camera_id, [silent]))
        await eventually(lambda: centre.connections == 1)
        end_session(site, of)
        (found,) = await checking
    if of == "nobody":
        assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)
    else:
        assert found.finding.verdict is VerificationVerdict.NOT_CHECKABLE, found.finding.detail


@pytest.mark.parametrize("fault", ["last_pictures", None])
async def test_proof_ends_at_a_centre_that_showed_nothing_new_before_a_hand_over(
    verifier: Verifier, open_site: Any, fault: str | None
) -> None:
    """What the first forwarder noted until then decides; a good centre is proven by it, and never accused."""
    verifier.limits = Limits(max_delay_s=4.0, first_within_s=2.0, settle_s=30.0)
    site = await open_site(loop_s=20.0)
    site.noting = False
    own = site.delivery(site.national, read_back_url=site.national.stream_url("own"))
    async with AsyncExitStack() as session:
        await session.enter_async_context(
            relay(site.camera.url(), site.national.stream_url("own", with_credentials=True))
        )
        await site.national.wait_for("own", lambda seen: seen.packets > 120)
        if fault is not None:
            await site.national.set_fault(fault)
        # The picture that it keeps is not among what the forwarder has noted.
        site.notes.clear()
        site.noting = True
        await eventually(lambda: len(site.notes) > 1)
        del site.notes[:-1]
        began_at = verifier.now()
        checking = asyncio.create_task(verifier.verify(site.camera_id, [own]))
        until = began_at + timedelta(seconds=4.5)
        await eventually(lambda: checking.done() or any(note.captured_at > until for note in site.notes), within_s=30)
        await session.aclose()
        end_session(site, "hand-over")
        (found,) = await checking
    if fault is None:
        assert found.finding.verdict is VerificationVerdict.VERIFIED
        return
    assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)
    assert "until another forwarder took the camera" in (found.finding.detail or "")
    # It is dated to the beginning of the read-back, not to the hand-over.
    assert abs(found.observed_at - timedelta(seconds=found.duration_s) - began_at) < timedelta(seconds=0.5)

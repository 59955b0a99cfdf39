"""Read-backs from centres that lie about what they receive: a proof ends where it ends, in the true verdict."""

from datetime import timedelta
from typing import Any

import pytest

from prober.probes.verification.verifier import Verification, Verifier
from vonggac.events import Cause
from vonggac.events.prober import VerificationVerdict
from vonggac.testing import eventually

pytestmark = pytest.mark.slow

KEEPS = {"kept_s": 30}


async def read_back(verifier: Verifier, site: Any, centre: Any) -> Verification:
    (found,) = await verifier.verify(site.camera_id, [site.delivery(centre)])
    return found


async def prove(verifier: Verifier, site: Any) -> None:
    found = await read_back(verifier, site, site.national)
    assert found.finding.verdict is VerificationVerdict.VERIFIED


async def test_proof_ends_at_a_centre_that_acknowledges_and_discards(verifier: Verifier, open_site: Any) -> None:
    site = await open_site()
    await prove(verifier, site)
    await site.national.set_fault("discard")
    found = await read_back(verifier, site, site.national)
    assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)
    assert (await read_back(verifier, site, site.provincial)).finding.verdict is VerificationVerdict.VERIFIED
    await site.national.clear_fault()
    await prove(verifier, site)


@pytest.mark.parametrize("fault", ["last_pictures", "buffer"])
async def test_proof_ends_at_a_centre_that_shows_its_last_pictures_and_no_other(
    verifier: Verifier, open_site: Any, fault: str
) -> None:
    site = await open_site()
    await prove(verifier, site)
    await site.national.set_fault(fault)
    stopped_at = site.notes[-1].captured_at
    # As long as its last picture is no older than the longest delay it proves that, and no more.
    await eventually(lambda: site.notes[-1].captured_at - stopped_at > timedelta(seconds=2.5))
    began_at = verifier.now()
    found = await read_back(verifier, site, site.national)
    assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.MISMATCH, Cause.MISMATCH)
    assert "stands still since" in (found.finding.detail or "")
    # It is dated to the beginning of the read-back.
    assert abs(found.observed_at - timedelta(seconds=found.duration_s) - began_at) < timedelta(seconds=0.3)
    await site.national.clear_fault()
    await prove(verifier, site)


@pytest.mark.parametrize("kind", ["rewritten", "original"])
async def test_proof_ends_at_a_centre_that_replays_what_it_received(
    verifier: Verifier, open_site: Any, kind: str
) -> None:
    site = await open_site(centre=KEEPS, loop_s=20.0)
    site.stamps = True
    await site.national.wait_for("key", lambda seen: seen.packets > 120)
    await site.national.set_fault("replay", window_s=5, kind=kind)
    began_at = verifier.now()
    # The first round of the replay is as late as it is long.
    await eventually(lambda: verifier.now() - began_at > timedelta(seconds=1))
    for _ in range(2):
        found = await read_back(verifier, site, site.national)
        assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.MISMATCH, Cause.MISMATCH)


@pytest.mark.parametrize(
    ("late_s", "verdict"), [(1.2, VerificationVerdict.VERIFIED), (4.0, VerificationVerdict.MISMATCH)]
)
async def test_proof_ends_at_a_centre_that_is_later_than_the_longest_delay_alone(
    verifier: Verifier, open_site: Any, late_s: float, verdict: VerificationVerdict
) -> None:
    site = await open_site(centre=KEEPS, loop_s=20.0)
    await site.national.wait_for("key", lambda seen: seen.packets > 120)
    await site.national.set_fault("late_playback", late_s=late_s)
    found = await read_back(verifier, site, site.national)
    assert found.finding.verdict is verdict
    if found.finding.delay_s is not None:
        assert found.finding.delay_s == pytest.approx(late_s, abs=0.7)


async def test_proof_ends_at_a_centre_that_plays_another_camera_and_begins_again_with_the_right_one(
    verifier: Verifier, open_site: Any
) -> None:
    site = await open_site()
    await site.national.set_fault("wrong_picture", path="yard")
    found = await read_back(verifier, site, site.national)
    assert found.finding.verdict is VerificationVerdict.MISMATCH
    await site.national.clear_fault()
    await prove(verifier, site)

"""Evidence to verdict."""

import pytest

from prober.domain.findings import Checks
from prober.domain.result import Judgement
from prober.domain.verdict import NOBODY_PROBED, Evidence, Failure, conclude, judge
from vonggac.events import Cause
from vonggac.events.prober import Verdict

LOST = Failure(Cause.ENDED, "the peer closed the connection")


def test_a_decoded_keyframe_is_up() -> None:
    judgement = judge(Evidence(playing=True, packets=12, keyframe=True, decoded=True))
    assert (judgement.verdict, judgement.cause, judgement.detail) == (Verdict.UP, None, None)


def test_a_stream_that_ends_after_its_keyframe_was_decoded_is_up() -> None:
    assert judge(Evidence(LOST, playing=True, packets=12, keyframe=True, decoded=True)).verdict is Verdict.UP


def test_a_keyframe_that_does_not_decode_is_down_with_the_decoders_reason() -> None:
    damaged = Failure(Cause.DECODE_FAILED, "damaged slice")
    judgement = judge(Evidence(playing=True, packets=9, keyframe=True, decoded=False, undecodable=damaged))
    assert (judgement.verdict, judgement.cause) == (Verdict.DOWN, Cause.DECODE_FAILED)
    assert judgement.detail == "damaged slice"


def test_a_keyframe_that_waits_for_our_decoder_is_not_the_cameras_fault() -> None:
    judgement = judge(Evidence(playing=True, packets=9, keyframe=True))
    assert (judgement.verdict, judgement.cause) == (Verdict.UNKNOWN, Cause.WORKER_LAGGED)


def test_silence_after_play_is_no_media() -> None:
    assert judge(Evidence(playing=True)).cause is Cause.NO_MEDIA


def test_media_without_a_whole_keyframe_says_how_much_came() -> None:
    judgement = judge(Evidence(playing=True, packets=80, units_dropped=3))
    assert (judgement.verdict, judgement.cause) == (Verdict.DOWN, Cause.NO_KEYFRAME)
    assert judgement.detail is not None
    assert "80 packets (3 damaged)" in judgement.detail


def test_a_foreign_camera_whose_next_keyframe_was_not_due_is_unknown() -> None:
    judgement = judge(Evidence(playing=True, packets=80))
    assert (judgement.verdict, judgement.cause) == (Verdict.UNKNOWN, Cause.NO_KEYFRAME)
    assert "80 packets" in (judgement.detail or "")


def test_a_foreign_payload_type_is_unsupported_only_where_it_is_not_the_codec() -> None:
    other = judge(Evidence(playing=True, packets=80, foreign_payload=33, fits_codec=False))
    assert (other.verdict, other.cause) == (Verdict.DOWN, Cause.CODEC_UNSUPPORTED)
    same = judge(Evidence(playing=True, packets=80, foreign_payload=97))
    assert (same.verdict, same.cause) == (Verdict.UNKNOWN, Cause.NO_KEYFRAME)


def test_media_that_came_late_is_a_timeout_and_says_nothing_about_keyframes() -> None:
    late = judge(Evidence(playing=True, packets=80, first_packet_s=5.8, allowed_s=7.5))
    assert late.cause is Cause.TIMEOUT
    assert late.detail is not None
    assert "5.8 s of the 7.5 s" in late.detail
    assert judge(Evidence(playing=True, packets=80, first_packet_s=1.8, allowed_s=7.5)).cause is Cause.NO_KEYFRAME


def test_a_deadline_before_play_is_a_timeout() -> None:
    assert judge(Evidence()).cause is Cause.TIMEOUT


@pytest.mark.parametrize("cause", sorted(set(Cause) - NOBODY_PROBED))
def test_what_breaks_an_attempt_off_is_its_cause(cause: Cause) -> None:
    judgement = judge(Evidence(Failure(cause, "why")))
    assert (judgement.verdict, judgement.cause, judgement.detail) == (Verdict.DOWN, cause, "why")


@pytest.mark.parametrize("cause", sorted(NOBODY_PROBED))
def test_what_lies_with_us_says_nothing_about_the_camera(cause: Cause) -> None:
    assert judge(Evidence(Failure(cause, "why"))).verdict is Verdict.UNKNOWN


def concluded(*findings: Cause, judgement: Judgement | None = None) -> Judgement:
    checks = Checks(not_checked={Cause.CLOCK_DRIFT: "no report came"})
    for finding in findings:
        checks.add_finding(finding, f"{finding} it is")
    return conclude(judgement or Judgement(Verdict.UP), checks)


def test_a_picture_that_shows_nothing_of_the_place_is_down() -> None:
    for cause in (Cause.FROZEN, Cause.BLACK, Cause.COVERED, Cause.NO_SIGNAL_CARD):
        judgement = concluded(cause)
        assert (judgement.verdict, judgement.cause, judgement.findings) == (Verdict.DOWN, cause, ())
        assert judgement.detail == f"{cause} it is"


def test_a_picture_worse_than_agreed_is_up_with_findings() -> None:
    judgement = concluded(Cause.BLURRED, Cause.JITTER)
    assert (judgement.verdict, judgement.cause) == (Verdict.UP, None)
    assert judgement.findings == (Cause.BLURRED, Cause.JITTER)
    assert judgement.detail == "blurred it is; jitter it is"


def test_of_several_pictures_faults_the_gravest_is_the_cause_and_the_others_findings() -> None:
    judgement = concluded(Cause.FROZEN, Cause.LOW_FPS, Cause.NO_SIGNAL_CARD)
    assert judgement.cause is Cause.NO_SIGNAL_CARD
    assert judgement.findings == (Cause.FROZEN, Cause.LOW_FPS)


def test_what_was_not_checked_stays_reported() -> None:
    assert concluded(Cause.BLACK).not_checked == {Cause.CLOCK_DRIFT: "no report came"}


def test_a_finding_never_softens_a_down() -> None:
    judgement = concluded(Cause.BLURRED, judgement=Judgement(Verdict.DOWN, Cause.TIMEOUT, "late"))
    assert (judgement.verdict, judgement.cause, judgement.detail) == (
        Verdict.DOWN,
        Cause.TIMEOUT,
        "late; blurred it is",
    )


def test_a_light_probe_asks_for_the_beginning_of_a_keyframe_only() -> None:
    assert judge(Evidence(light=True, playing=True, packets=3, keyframe=True)).verdict is Verdict.UP
    assert judge(Evidence(light=True, playing=True, packets=3)).cause is Cause.NO_KEYFRAME


def test_a_decoder_that_crashes_accuses_no_camera() -> None:
    crashed = Failure(Cause.DECODER_CRASHED, "SIGSEGV")
    judgement = judge(Evidence(playing=True, packets=9, keyframe=True, decoded=False, undecodable=crashed))
    assert (judgement.verdict, judgement.cause) == (Verdict.UNKNOWN, Cause.DECODER_CRASHED)


def test_a_hostile_flood_is_down_even_behind_a_good_picture() -> None:
    flood = Failure(Cause.FLOOD, "more than 20 RTSP messages a second")
    judgement = judge(Evidence(flood, playing=True, packets=12, keyframe=True, decoded=True))
    assert (judgement.verdict, judgement.cause) == (Verdict.DOWN, Cause.FLOOD)

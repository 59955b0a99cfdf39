"""Whom the rules urge, from rules, what is owed, the log and the clock alone."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from reporting.domain.instants import VIETNAM, millis
from reporting.urging.decision import HOUR, Owed, Party, Quiet, Rule, Urged, UrgingTopic, decide
from reporting.urging.digest import SHOWN, day_shown, items_kept, message
from reporting.urging.urger import digest_by_hand

HEALTH, ARMY, COMMITTEE = UUID(int=1), UUID(int=2), UUID(int=3)
DEADLINE = millis(datetime(2021, 5, 10, tzinfo=VIETNAM))
"""«Trước ngày 10/5/2021»: strictly before this instant."""


def rule(**given: object) -> Rule:
    known = {
        "id": UUID(int=100),
        "about": UrgingTopic.OBLIGATION_OVERDUE,
        "party": Party.RESPONSIBLE,
        "agency_id": None,
        "level": 1,
        "threshold": 0,
        "every": 24 * HOUR,
        "channel_kinds": frozenset({"mailto"}),
    }
    return Rule(**{**known, **given})  # type: ignore[arg-type]


def obligation(key: str = "a", *, since: int = DEADLINE, responsible: UUID = HEALTH, kind: str = "connection") -> Owed:
    return Owed(key, False, since, responsible, ARMY, kind, "NV-1742", "Kết nối", "KCL-01", "Khu cách ly Lao Bảo")


def outage(key: str, since: int, managing: UUID = ARMY) -> Owed:
    return Owed(key, True, since, None, managing, None, key, "timeout", "KCL-01", "Khu cách ly Lao Bảo")


def test_the_deadline_is_strictly_before_its_day() -> None:
    rules, owed = [rule()], [obligation()]
    assert decide(rules, owed, [], DEADLINE - 1) == []
    (digest,) = decide(rules, owed, [], DEADLINE)
    assert (digest.agency_id, digest.level, digest.items) == (HEALTH, 1, tuple(owed))


def test_what_is_due_soon_is_urged_before_its_deadline_and_not_at_it() -> None:
    soon = [rule(about=UrgingTopic.OBLIGATION_DUE_SOON, threshold=72 * HOUR)]
    asked = {hours: bool(decide(soon, [obligation()], [], DEADLINE - hours * HOUR)) for hours in (73, 72, 1, 0)}
    assert asked == {73: False, 72: True, 1: True, 0: False}


def test_a_party_gets_one_digest_and_not_a_message_for_each_camera() -> None:
    rules = [rule(about=UrgingTopic.OUTAGE, party=Party.MANAGING, threshold=HOUR)]
    cameras = [outage(f"CAM-{number:02d}", DEADLINE - number * HOUR) for number in range(20)]
    (digest,) = decide(rules, cameras, [], DEADLINE)
    assert digest.agency_id == ARMY
    assert len(digest.items) == 19, "the one that is down for less than an hour is not among them"
    assert [one.since for one in digest.items] == sorted(one.since for one in digest.items)


def test_what_is_owed_at_once_stands_in_the_order_of_the_facilities_codes() -> None:
    """Whoever searches for a facility finds it; the ids of a register have no order that a reader knows."""
    owed = [
        obligation(key)._replace(facility_code=code) for key, code in (("c", "KCL-02"), ("a", None), ("b", "KCL-10"))
    ]
    owed += [
        outage(key, DEADLINE)._replace(code="CAM-01", facility_code=code) for key, code in (("e", "B"), ("f", "A"))
    ]
    (digest,) = decide(
        [rule(), rule(about=UrgingTopic.OUTAGE, party=Party.AGENCY, agency_id=HEALTH)], owed, [], DEADLINE
    )
    by_hand = digest_by_hand(HEALTH, 1, [one._replace(managing=HEALTH) for one in owed], frozenset(), DEADLINE)
    codes = [None, "KCL-02", "KCL-10", "A", "B"]
    assert [[one.facility_code for one in each.items] for each in (digest, by_hand)] == [codes, codes]


def test_nobody_is_urged_again_within_the_set_hours_also_about_something_new() -> None:
    rules, log = [rule()], [Urged(HEALTH, 1, DEADLINE, None)]
    owed = [obligation("a"), obligation("b")]
    assert decide(rules, owed, log, DEADLINE + 24 * HOUR - 1) == []
    assert len(decide(rules, owed, log, DEADLINE + 24 * HOUR)) == 1


def test_another_party_does_not_wait_for_the_first_one() -> None:
    owed = [obligation("a"), obligation("b", responsible=ARMY)]
    (digest,) = decide([rule()], owed, [Urged(HEALTH, 1, DEADLINE, None)], DEADLINE + HOUR)
    assert digest.agency_id == ARMY


def test_two_rules_make_one_digest_of_the_higher_level_with_everything_in_it() -> None:
    notice = rule(channel_kinds=frozenset({"json"}))
    letter = rule(id=UUID(int=101), level=2, threshold=48 * HOUR)
    late, later = obligation("late", since=DEADLINE), obligation("later", since=DEADLINE - 48 * HOUR)
    (digest,) = decide([notice, letter], [late, later], [], DEADLINE + HOUR)
    assert (digest.level, digest.items) == (2, (later, late))
    assert digest.rule_ids == (notice.id, letter.id)
    assert digest.channel_kinds == {"json", "mailto"}


def test_a_letter_silences_the_notice_and_a_notice_does_not_silence_the_letter() -> None:
    rules = [rule(), rule(id=UUID(int=101), level=2)]
    assert decide(rules, [obligation()], [Urged(HEALTH, 2, DEADLINE, None)], DEADLINE + HOUR) == []
    (digest,) = decide(rules, [obligation()], [Urged(HEALTH, 1, DEADLINE, None)], DEADLINE + HOUR)
    assert digest.level == 2


def test_level_three_goes_to_the_committee_about_everybody() -> None:
    rules = [rule(party=Party.AGENCY, agency_id=COMMITTEE, level=3)]
    (digest,) = decide(rules, [obligation("a"), obligation("b", responsible=ARMY)], [], DEADLINE)
    assert (digest.agency_id, digest.level, len(digest.items)) == (COMMITTEE, 3, 2)


@pytest.mark.parametrize(
    ("clock", "urged"), [("20:59", True), ("21:00", False), ("23:59", False), ("06:59", False), ("07:00", True)]
)
def test_quiet_hours_over_midnight_are_of_the_province(clock: str, urged: bool) -> None:
    quiet = replace(rule(), quiet=Quiet(21 * 60, 7 * 60))
    hour, minute = map(int, clock.split(":"))
    now = millis(datetime(2021, 5, 12, hour, minute, tzinfo=VIETNAM))
    assert bool(decide([quiet], [obligation()], [], now)) == urged


def test_an_answer_gives_the_party_the_time_that_the_rule_sets() -> None:
    patient = rule(every=HOUR, after_answer=72 * HOUR)
    log = [Urged(HEALTH, 1, DEADLINE, DEADLINE + HOUR)]
    assert decide([patient], [obligation()], log, DEADLINE + 72 * HOUR) == []
    assert len(decide([patient], [obligation()], log, DEADLINE + 73 * HOUR)) == 1
    unanswered = [Urged(HEALTH, 1, DEADLINE, None)]
    assert len(decide([patient], [obligation()], unanswered, DEADLINE + HOUR)) == 1


def test_a_rule_about_some_kinds_leaves_the_others_alone() -> None:
    rules = [rule(obligation_kinds=frozenset({"focal_point"}))]
    assert decide(rules, [obligation(), outage("CAM-01", 0)], [], DEADLINE) == []
    assert len(decide(rules, [obligation(kind="focal_point")], [], DEADLINE)) == 1


def test_an_outage_whose_manager_is_not_known_urges_nobody() -> None:
    nobody = outage("CAM-01", 0)._replace(managing=None)
    assert decide([rule(about=UrgingTopic.OUTAGE, party=Party.MANAGING)], [nobody], [], DEADLINE) == []


def test_a_message_says_in_vietnamese_first_what_is_late_and_how_much() -> None:
    since = millis(datetime(2021, 5, 6, 2, 5, tzinfo=VIETNAM))
    kept = items_kept([obligation(), outage("CAM-01", since)])
    text = message("7f", "Sở Y tế", 1, kept, DEADLINE + 49 * HOUR)
    assert text.title == "[Vọng Gác] Đôn đốc mức 1 (nhắc việc): 1 nghĩa vụ, 1 camera mất kết nối"
    assert text.text.startswith("Kính gửi: Sở Y tế\n")
    assert "- NV-1742 Kết nối – KCL-01 Khu cách ly Lao Bảo: trước ngày 10/5/2021, quá hạn 2 ngày" in text.text
    assert (
        "- CAM-01 (không trả lời trong thời hạn) – KCL-01 Khu cách ly Lao Bảo: mất từ 02:05 ngày 06/5/2021" in text.text
    )
    assert "Reference: 7f" in text.text


def test_a_long_list_says_how_much_more_there_is() -> None:
    kept = items_kept([outage(f"CAM-{number}", number) for number in range(SHOWN + 7)])
    text = message("7f", "BCHQS", 1, kept, DEADLINE).text
    for part in text.split("--- English ---"):
        assert part.count("- CAM-") == SHOWN
    assert "- … và 7 mục khác\n" in text
    assert "- … and 7 more\n" in text


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        ((2021, 5, 6), "06/5/2021"),
        ((2021, 5, 10), "10/5/2021"),
        ((2021, 1, 2), "02/01/2021"),
        ((2021, 12, 9), "09/12/2021"),
    ],
)
def test_days_are_padded_as_the_letter_itself_has_them(day: tuple[int, int, int], shown: str) -> None:
    assert day_shown(millis(datetime(*day, tzinfo=VIETNAM))) == shown

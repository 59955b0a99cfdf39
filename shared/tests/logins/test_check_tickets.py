"""Tickets of our own checks: what is forged, stale, of another path or used before marks nothing."""

import pytest

from vonggac.logins.check_tickets import CLOCKS_DIFFER_S, LIFE_S, CheckTickets, write_check_ticket

KEY, PATH, NOW_S = b"k" * 32, "/BO-Y-TE/QT-01-C01", 1_764_600_000.0
ONCE = "0123456789abcdef" * 2


def ticket(*, key: bytes = KEY, path: str = PATH, at_s: float = NOW_S, once: str = ONCE) -> str:
    return write_check_ticket(key, path, at_s, once)


def test_a_ticket_marks_one_check_and_no_second() -> None:
    tickets = CheckTickets(KEY)
    assert tickets.use(ticket(), PATH, NOW_S)
    assert not tickets.use(ticket(), PATH, NOW_S)
    assert tickets.use(ticket(once="f" * 32), PATH, NOW_S)


@pytest.mark.parametrize(
    "given",
    [
        ticket(key=b"x" * 32),
        ticket(path="/BO-Y-TE/QT-01-C02"),
        ticket(path=PATH + "/"),
        ticket()[:-1] + ("0" if ticket()[-1] != "0" else "1"),
        ticket().replace(ONCE, "f" * 32),
        ticket().partition(".")[2],
        "9999999999" + ticket()[10:],
        "",
        ".",
        "..",
        "nan." + ONCE + "." + "0" * 64,
        ticket().upper(),
        "\u0661" + ticket()[1:],
    ],
)
def test_a_forged_ticket_marks_nothing_and_ends_nothing(given: str) -> None:
    tickets = CheckTickets(KEY)
    assert not tickets.use(given, PATH, NOW_S)
    assert tickets.use(ticket(), PATH, NOW_S), "the right one is not used up"


def test_a_ticket_is_good_for_its_life_and_what_clocks_differ() -> None:
    longest_s = LIFE_S + CLOCKS_DIFFER_S
    for after_s, good in ((longest_s - 1, True), (longest_s + 1, False), (-CLOCKS_DIFFER_S - 1, False)):
        assert CheckTickets(KEY).use(ticket(), PATH, NOW_S + after_s) is good, after_s


def test_a_used_ticket_is_known_for_as_long_as_it_would_be_good() -> None:
    tickets = CheckTickets(KEY)
    assert tickets.use(ticket(), PATH, NOW_S)
    for second in range(1, int(LIFE_S + CLOCKS_DIFFER_S) + 60):
        assert tickets.use(ticket(at_s=NOW_S + second, once=f"{second:032x}"), PATH, NOW_S + second)
        assert not tickets.use(ticket(), PATH, NOW_S + second), second

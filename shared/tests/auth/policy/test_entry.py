"""The policy as a whole: one line a route, and lines that cannot be meant."""

import re
from collections import Counter

import pytest

from vonggac.auth import Right
from vonggac.auth.policy import POLICY, Entry, Reach
from vonggac.auth.policy.page import permissions_page

READS = {Right.READ, Right.EXPORT}
WRITES = {
    Right.ADD,
    Right.CHANGE,
    Right.REMOVE,
    Right.IMPORT,
    Right.OPERATE,
    Right.WRITE_SECRET,
    Right.DISPUTE,
    Right.ASK,
    Right.VIEW,
    Right.SPEAK,
    Right.DECIDE,
    Right.INVITE,
}


@pytest.mark.parametrize("service", POLICY)
def test_every_route_has_one_entry_with_a_right(service: str) -> None:
    entries = POLICY[service]
    assert [key for key, times in Counter(entry.key for entry in entries).items() if times > 1] == []
    assert [entry.key for entry in entries if not entry.rights] == []


def entries() -> list[Entry]:
    return [entry for of in POLICY.values() for entry in of]


def test_who_only_reads_calls_nothing_that_writes() -> None:
    verifies = {("POST", "/v1/reports/verify")}
    for entry in entries():
        if entry.method != "GET" and entry.key not in verifies:
            assert set(entry.rights) & WRITES, entry
        elif not set(entry.rights) & WRITES:
            assert set(entry.rights) & READS, entry


def test_what_removes_needs_the_right_to_remove() -> None:
    for entry in entries():
        if entry.method == "DELETE" and entry.path.startswith("/v1/") and "secret" not in entry.path:
            assert set(entry.rights) & {Right.REMOVE, Right.OPERATE, Right.INVITE}, entry


def test_the_log_needs_its_own_right() -> None:
    for entry in entries():
        if re.search(r"/history$|^/v1/(changes|actions)", entry.path):
            assert Right.READ_AUDIT in entry.rights, entry


def test_what_is_of_the_whole_province_and_read_needs_restricted_facilities_or_is_no_facility_s() -> None:
    of_no_facility = re.compile(r"/v1/(webhooks|urging/(rules|channels)|calendar-feeds)")
    for entry in entries():
        if entry.method == "GET" and entry.reach is Reach.PROVINCE and not of_no_facility.match(entry.path):
            assert Right.READ_RESTRICTED in entry.rights, entry


def test_the_page_has_every_right_role_and_service() -> None:
    page = permissions_page("<!-- -->")
    for right in Right:
        assert f"| `{right}` |" in page
    assert "| GET | `/v1/<noun>/{thing_id}` | `read` | narrowed |" in page
    assert "| POST | `/v1/scans` | `operate` `import` `read_restricted` | province |" in page

"""What is in order of a camera's security, what is not, and what nobody knows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reporting.domain.instants import millis
from reporting.domain.mandate.camera_security import (
    OBSERVED_FOR_MS,
    Basis,
    Known,
    KnownSecurity,
    SecurityFinding,
    SecurityItem,
    SecurityVerdict,
    find_security,
)

NOW = millis(datetime(2026, 11, 20, 8, 0, tzinfo=UTC))
IN_ORDER, INSECURE, UNKNOWN = SecurityVerdict.IN_ORDER, SecurityVerdict.INSECURE, SecurityVerdict.UNKNOWN


def found(
    item: SecurityItem, *, seen: dict[str, Any] | None = None, encrypted: bool = False, age_ms: int = 0, **declared: Any
) -> SecurityFinding:
    known = KnownSecurity(
        {name: Known(value, NOW - 1000) for name, value in declared.items()},
        {name: Known(value, NOW - age_ms) for name, value in (seen or {}).items()},
        encrypted,
    )
    return next(one for one in find_security(known, NOW) if one.item is item)


def test_camera_security_of_which_nothing_is_known_is_unknown_throughout() -> None:
    findings = find_security(KnownSecurity({}, {}, encrypted=False), NOW)
    assert [one.item for one in findings] == [*SecurityItem]
    assert {(one.verdict, one.basis, one.at) for one in findings} == {(UNKNOWN, None, None)}


@pytest.mark.parametrize(
    ("login", "encrypted", "verdict"),
    [
        ("none", False, INSECURE),
        ("none", True, INSECURE),
        ("basic", False, INSECURE),
        ("basic", True, IN_ORDER),
        ("digest", False, IN_ORDER),
    ],
)
def test_camera_security_goes_by_the_login_that_was_observed(
    login: str, encrypted: bool, verdict: SecurityVerdict
) -> None:
    one = found(SecurityItem.LOGIN, seen={"login_scheme": login}, encrypted=encrypted)
    assert (one.verdict, one.value, one.basis, one.at) == (verdict, login, Basis.OBSERVED, NOW)


def test_camera_security_that_was_observed_long_ago_is_unknown() -> None:
    seen = {"login_scheme": "digest", "device_asks_login": False}
    assert found(SecurityItem.DEVICE_LOGIN, seen=seen, age_ms=OBSERVED_FOR_MS).verdict is INSECURE
    assert found(SecurityItem.DEVICE_LOGIN, seen=seen, age_ms=OBSERVED_FOR_MS + 1).verdict is UNKNOWN
    assert found(SecurityItem.LOGIN, seen=seen, age_ms=OBSERVED_FOR_MS + 1).verdict is UNKNOWN


def test_camera_security_takes_a_declared_password_as_declared() -> None:
    for value, verdict in ((True, IN_ORDER), (False, INSECURE)):
        one = found(SecurityItem.DEFAULT_PASSWORD, default_password_changed=value)
        assert (one.verdict, one.basis, one.at) == (verdict, Basis.DECLARED, NOW - 1000)
    assert found(SecurityItem.CLOUD_ACCESS, cloud_access=True).verdict is INSECURE


@pytest.mark.parametrize(("days", "verdict"), [(0, IN_ORDER), (730, IN_ORDER), (731, INSECURE), (-1, UNKNOWN)])
def test_camera_security_counts_the_age_of_the_firmware_from_its_release(days: int, verdict: SecurityVerdict) -> None:
    day = (datetime(2026, 11, 20, tzinfo=UTC) - timedelta(days=days)).date().isoformat()
    one = found(SecurityItem.FIRMWARE_AGE, firmware="V5.5", firmware_released_on=day)
    assert one.verdict is verdict
    assert one.value == (None if verdict is UNKNOWN else str(days))


def test_camera_security_dates_no_firmware_by_the_release_of_another_one() -> None:
    declared: dict[str, Any] = {"firmware": "V5.5", "firmware_released_on": "2026-01-01"}
    version = found(SecurityItem.FIRMWARE_VERSION, seen={"firmware": "V5.7"}, **declared)
    assert (version.value, version.basis, version.verdict) == ("V5.7", Basis.OBSERVED, SecurityVerdict.NOTED)
    assert found(SecurityItem.FIRMWARE_AGE, seen={"firmware": "V5.7"}, **declared).verdict is UNKNOWN
    assert found(SecurityItem.FIRMWARE_AGE, seen={"firmware": "V5.5"}, **declared).verdict is IN_ORDER


@pytest.mark.parametrize(("until", "verdict"), [(None, IN_ORDER), ("2026-11-20", IN_ORDER), ("2026-11-19", INSECURE)])
def test_camera_security_has_a_certificate_to_its_last_day(until: str | None, verdict: SecurityVerdict) -> None:
    declared: dict[str, Any] = {"certificate": "QCVN135-0001"}
    declared |= {} if until is None else {"certificate_valid_until": until}
    one = found(SecurityItem.CERTIFICATE, **declared)
    assert (one.verdict, one.value, one.basis) == (verdict, "QCVN135-0001", Basis.DECLARED)

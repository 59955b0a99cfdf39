"""Security of a camera as QCVN 135:2024/BTTTT asks for it: what is declared or was observed, and nothing else.

Nobody tries a password on a camera. What is neither on record nor seen is unknown, and never in order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from reporting.domain.instants import VIETNAM, Millis, moment

FIRMWARE_OLD_AFTER_DAYS = 730
"""Firmware that was released before that is old: our bound, for the regulation asks for updates and names none."""
OBSERVED_FOR_MS: Millis = 7 * 24 * 3_600_000
"""So long an observation counts: probes repeat it four times a day, and a camera may be away for some days."""


class SecurityItem(StrEnum):
    """What is asked of a camera."""

    DEFAULT_PASSWORD = "default_password"  # noqa: S105 - an item, no password
    LOGIN = "login"
    DEVICE_LOGIN = "device_login"
    CLOUD_ACCESS = "cloud_access"
    FIRMWARE_VERSION = "firmware_version"
    FIRMWARE_AGE = "firmware_age"
    CERTIFICATE = "certificate"


class SecurityVerdict(StrEnum):
    """Of one item of one camera. `noted`: a value that is neither good nor bad in itself."""

    IN_ORDER = "in_order"
    INSECURE = "insecure"
    NOTED = "noted"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """Whether the register says so, or a probe saw it."""

    DECLARED = "declared"
    OBSERVED = "observed"


ITEMS_VI: Mapping[SecurityItem, str] = {
    SecurityItem.DEFAULT_PASSWORD: "Đổi mật khẩu mặc định",
    SecurityItem.LOGIN: "Đăng nhập khi xem luồng hình",
    SecurityItem.DEVICE_LOGIN: "Đăng nhập khi hỏi thiết bị (ONVIF)",
    SecurityItem.CLOUD_ACCESS: "Tắt đám mây của hãng (P2P)",
    SecurityItem.FIRMWARE_VERSION: "Phiên bản phần mềm",
    SecurityItem.FIRMWARE_AGE: "Tuổi phần mềm",
    SecurityItem.CERTIFICATE: "Giấy chứng nhận hợp quy (QCVN 135:2024/BTTTT)",
}
VERDICTS_VI: Mapping[SecurityVerdict, str] = {
    SecurityVerdict.IN_ORDER: "đạt",
    SecurityVerdict.INSECURE: "không đạt",
    SecurityVerdict.NOTED: "ghi nhận",
    SecurityVerdict.UNKNOWN: "chưa rõ",
}
BASES_VI: Mapping[Basis, str] = {Basis.DECLARED: "khai báo", Basis.OBSERVED: "quan sát"}


class Known(NamedTuple):
    """One value, and when it came on record or was seen last."""

    value: Any
    at: Millis


@dataclass(frozen=True, slots=True)
class KnownSecurity:
    """Of one camera: what is on record by field, what was observed by sign, and whether it plays by TLS."""

    declared: Mapping[str, Known]
    observed: Mapping[str, Known]
    encrypted: bool


class SecurityFinding(NamedTuple):
    """One item of one camera. `detail_vi`: what is wrong, or known, for people. Without a basis it is unknown."""

    item: SecurityItem
    verdict: SecurityVerdict
    value: str | None = None
    basis: Basis | None = None
    at: Millis | None = None
    detail_vi: str | None = None


def find_security(known: KnownSecurity, at: Millis) -> list[SecurityFinding]:
    """Every item, in the order of the reports."""
    seen = {name: one for name, one in known.observed.items() if at - one.at <= OBSERVED_FOR_MS}
    today = moment(at).astimezone(VIETNAM).date()
    return [
        _default_password(known.declared.get("default_password_changed")),
        _login(seen.get("login_scheme"), encrypted=known.encrypted),
        _device_login(seen.get("device_asks_login")),
        _cloud_access(known.declared.get("cloud_access")),
        *_firmware(known.declared, seen.get("firmware"), today),
        _certificate(known.declared, today),
    ]


def _unknown(item: SecurityItem, detail: str | None = None) -> SecurityFinding:
    return SecurityFinding(item, SecurityVerdict.UNKNOWN, detail_vi=detail)


def _ruled(
    item: SecurityItem, known: Known, basis: Basis, value: str, bad: str | None, *, noted: bool = False
) -> SecurityFinding:
    verdict = SecurityVerdict.NOTED if noted else SecurityVerdict.IN_ORDER if bad is None else SecurityVerdict.INSECURE
    return SecurityFinding(item, verdict, value, basis, known.at, bad)


def _default_password(declared: Known | None) -> SecurityFinding:
    item = SecurityItem.DEFAULT_PASSWORD
    if declared is None:
        return _unknown(item)
    value, bad = ("changed", None) if declared.value else ("unchanged", "còn dùng mật khẩu mặc định")
    return _ruled(item, declared, Basis.DECLARED, value, bad)


def _login(seen: Known | None, *, encrypted: bool) -> SecurityFinding:
    item = SecurityItem.LOGIN
    if seen is None:
        return _unknown(item)
    bad = None
    if seen.value == "none":
        bad = "xem được luồng hình mà không cần đăng nhập"
    elif seen.value == "basic" and not encrypted:
        bad = "mật khẩu gửi không mã hóa (Basic, không có TLS)"
    return _ruled(item, seen, Basis.OBSERVED, str(seen.value), bad)


def _device_login(seen: Known | None) -> SecurityFinding:
    item = SecurityItem.DEVICE_LOGIN
    if seen is None:
        return _unknown(item)
    value, bad = ("asked", None) if seen.value else ("none", "thiết bị trả lời ONVIF/HTTP mà không cần đăng nhập")
    return _ruled(item, seen, Basis.OBSERVED, value, bad)


def _cloud_access(declared: Known | None) -> SecurityFinding:
    item = SecurityItem.CLOUD_ACCESS
    if declared is None:
        return _unknown(item)
    value, bad = ("on", "truy cập được qua đám mây của hãng") if declared.value else ("off", None)
    return _ruled(item, declared, Basis.DECLARED, value, bad)


def _firmware(declared: Mapping[str, Known], seen: Known | None, today: date) -> Iterator[SecurityFinding]:
    """Judge the version, and its age: the day of release on record is of the version on record, and of no other."""
    stated = declared.get("firmware")
    version, basis = (seen, Basis.OBSERVED) if seen is not None else (stated, Basis.DECLARED)
    if version is None:
        yield _unknown(SecurityItem.FIRMWARE_VERSION)
    else:
        yield _ruled(SecurityItem.FIRMWARE_VERSION, version, basis, str(version.value), None, noted=True)
    item, released = SecurityItem.FIRMWARE_AGE, declared.get("firmware_released_on")
    if released is None:
        yield _unknown(item)
        return
    if seen is not None and (stated is None or seen.value != stated.value):
        yield _unknown(item, "phiên bản quan sát được khác phiên bản đã khai báo")
        return
    days = (today - date.fromisoformat(str(released.value))).days
    if days < 0:
        yield _unknown(item, "ngày phát hành đã khai báo chưa tới")
        return
    bad = f"phần mềm phát hành đã {days} ngày" if days > FIRMWARE_OLD_AFTER_DAYS else None
    yield _ruled(item, released, Basis.DECLARED, str(days), bad)


def _certificate(declared: Mapping[str, Known], today: date) -> SecurityFinding:
    item, number = SecurityItem.CERTIFICATE, declared.get("certificate")
    if number is None:
        return _unknown(item)
    until = declared.get("certificate_valid_until")
    last = None if until is None else date.fromisoformat(str(until.value))
    bad = None
    if last is not None and last < today:
        bad = f"giấy chứng nhận hết giá trị ngày {last.day:02d}/{last.month}/{last.year}"
    return _ruled(item, number, Basis.DECLARED, str(number.value), bad)

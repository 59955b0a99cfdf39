"""What the example knows of its cameras' security at the cut-off: made-up signs, judged by the real rules."""

from collections.abc import Iterator, Sequence
from typing import Any

from reporting.domain.instants import HOUR, Millis
from reporting.domain.mandate.camera_security import Known, KnownSecurity, find_security
from reporting.domain.scope import Camera
from reporting.reports.mandate.camera_security import CameraSecurity, security_rows
from reporting.reports.snapshot.canonical import Row

_DAYS: Millis = 24 * HOUR
_UNCHANGED = frozenset({"KCL-06-C02", "KCL-09-C01"})
_OPEN = frozenset({"KCL-10-C03"})
_BASIC = frozenset({"KCL-02-C03", "KCL-07-C01"})
_BY_CLOUD = frozenset({"KCL-04-C02"})


def security(at: Millis, cameras: Sequence[Camera], listed: Sequence[Row]) -> dict[str, list[Row]]:
    """Build the tables `security` and `security_findings`, of the instant `at`."""
    found = [
        CameraSecurity(
            one.facility,
            one,
            tuple(
                find_security(KnownSecurity(dict(_declared(one, at)), dict(_observed(one, at)), encrypted=False), at)
            ),
        )
        for one in cameras
    ]
    return security_rows(found, listed)


def _declared(camera: Camera, at: Millis) -> Iterator[tuple[str, Known]]:
    """By whoever entered the camera; of two sites nobody declared anything."""
    if camera.facility.code in {"KCL-03", "KCL-05"}:
        return
    values: dict[str, Any] = {
        "default_password_changed": camera.code not in _UNCHANGED,
        "cloud_access": camera.code in _BY_CLOUD,
    }
    if camera.facility.code == "KCL-01":
        values |= {
            "firmware": "V5.5.800",
            "firmware_released_on": "2018-11-12" if camera.code == "KCL-01-C04" else "2020-03-16",
        }
    for name, value in values.items():
        yield name, Known(value, at - 2 * _DAYS)


def _observed(camera: Camera, at: Millis) -> Iterator[tuple[str, Known]]:
    scheme = "none" if camera.code in _OPEN else "basic" if camera.code in _BASIC else "digest"
    yield "login_scheme", Known(scheme, at - 2 * HOUR)

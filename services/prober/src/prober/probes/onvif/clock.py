"""From the answer to GetSystemDateAndTime to a drift. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from prober.probes.onvif.model import ClockReading, Remark
from prober.probes.onvif.parse import clean

DRIFT_LIMIT_S = 5.0
"""A greater drift is a finding: beyond it recordings of two cameras no longer fit together."""
_HALF_HOUR_S = 1800
_NEAR_ZONE_S = 60.0
_ZONES = range(-24, 29)
"""UTC-12:00 to UTC+14:00 in half hours."""


def read_clock(answer: Mapping[str, Any], *, asked_at: datetime, answered_at: datetime) -> ClockReading | None:
    """None when the device gives no UTC, or a date that does not exist. The times are ours, aware UTC."""
    device_time = _utc(answer.get("UTCDateTime"))
    if device_time is None:
        return None
    round_trip = answered_at - asked_at
    drift_s = (device_time - (asked_at + round_trip / 2)).total_seconds()
    zone = answer.get("TimeZone")
    return ClockReading(
        drift_s=round(drift_s, 3),
        round_trip_s=round(round_trip.total_seconds(), 3),
        time_zone=clean(zone.get("TZ")) if isinstance(zone, Mapping) else None,
        utc_offset_h=zone_offset(drift_s),
    )


def zone_offset(drift_s: float) -> float | None:
    """Find the offset in hours of the zone whose local time the device seems to give as UTC, None if it is not so.

    Trap: some firmwares label local time as UTC, so a camera in Vietnam seems 7 h fast.
    """
    half_hours = round(drift_s / _HALF_HOUR_S)
    if half_hours == 0 or half_hours not in _ZONES or abs(drift_s - half_hours * _HALF_HOUR_S) > _NEAR_ZONE_S:
        return None
    return half_hours / 2


def clock_remarks(clock: ClockReading | None) -> list[Remark]:
    """List what a person should know about this clock."""
    if clock is None:
        return [Remark.NO_CLOCK]
    if abs(clock.drift_s) <= DRIFT_LIMIT_S:
        return []
    return [Remark.CLOCK_DRIFT] + ([Remark.LOCAL_TIME_AS_UTC] if clock.utc_offset_h is not None else [])


def signing_offset(clock: ClockReading | None) -> timedelta:
    """Compute what to add to our clock so that a WS-UsernameToken carries the device's time."""
    return timedelta(seconds=clock.drift_s) if clock is not None else timedelta()


def _utc(given: object) -> datetime | None:
    try:
        date, time = given["Date"], given["Time"]  # type: ignore[index] # whatever has no items ends below
        return datetime(
            date["Year"], date["Month"], date["Day"], time["Hour"], time["Minute"], min(time["Second"], 59), tzinfo=UTC
        )
    except (TypeError, KeyError, ValueError, OverflowError):
        return None

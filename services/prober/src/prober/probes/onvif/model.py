"""What one probe of one address by ONVIF gives, and how a call can fail.

A finding holds no credential, and every text of the device is cut and cleaned. Probe and scan turn the errors into
values; nothing above them sees an exception.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from vonggac.events import Cause

MAX_TEXT = 200
MAX_PROFILES = 64


class OnvifCause(StrEnum):
    """Why a probe did not give all it could. The words are those of `vonggac.events.Cause` where both have one."""

    DNS = Cause.DNS.value
    ROUTE = Cause.ROUTE.value
    REFUSED = Cause.REFUSED.value
    TIMEOUT = Cause.TIMEOUT.value
    ADDRESS_NOT_ALLOWED = Cause.ADDRESS_NOT_ALLOWED.value
    AUTH_FAILED = Cause.AUTH_FAILED.value
    PROTOCOL_ERROR = Cause.PROTOCOL_ERROR.value
    INTERNAL_ERROR = Cause.INTERNAL_ERROR.value
    NOT_ONVIF = "not_onvif"
    """Something listens there, and it does not speak ONVIF."""
    NO_CLOCK = "no_clock"
    """It speaks ONVIF and does not give its time."""


class Remark(StrEnum):
    """What a person should know about a device that answered."""

    CLOCK_DRIFT = "clock_drift"
    LOCAL_TIME_AS_UTC = "local_time_as_utc"
    NO_CLOCK = "no_clock"
    NO_MEDIA_SERVICE = "no_media_service"
    OTHER_HOST = "other_host"
    """The device named another host in its addresses; the asked one is used."""
    SECRET_IN_URL = "secret_in_url"  # noqa: S105 - a remark, not a secret
    """A stream address carried credentials: `{username}` and `{password}` stand in their place, or it is left out."""
    PROFILES_LEFT_OUT = "profiles_left_out"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClockReading(_Frozen):
    """The device's clock beside ours. Devices give whole seconds, so a drift is good to a second."""

    drift_s: float = Field(description="Device's UTC minus ours at the middle of the round trip, seconds.")
    round_trip_s: float = Field(description="Seconds the answer took.")
    time_zone: str | None = Field(default=None, description="POSIX time zone as the device states it.")
    utc_offset_h: float | None = Field(
        default=None, description="Set when the drift is that of local time given as UTC: that zone's offset, hours."
    )


class DeviceFacts(_Frozen):
    """Who the device says it is."""

    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    serial_number: str | None = None
    hardware_id: str | None = None
    mac: str | None = Field(default=None, description="Like 0a:1b:2c:3d:4e:5f.")


class MediaProfile(_Frozen):
    """One stream that the device offers."""

    token: str
    name: str | None = None
    source: str | None = Field(default=None, description="Token of the video source; a recorder has one per channel.")
    codec: str | None = Field(default=None, description="h264, h265, jpeg or mpeg4.")
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bitrate_kbps: int | None = None
    stream_url: str | None = Field(default=None, description="RTSP address without credentials, on the asked host.")
    snapshot_url: str | None = Field(default=None, description="As the device says it, without credentials; not tried.")

    @property
    def pixels(self) -> int:
        return (self.width or 0) * (self.height or 0)


class OnvifFinding(_Frozen):
    """One probe. `onvif` and a cause may stand together: a camera that refused the login is a camera."""

    address: str
    port: int
    onvif: bool = Field(description="The device speaks ONVIF.")
    cause: OnvifCause | None = Field(default=None, description="Null when everything asked for was answered.")
    detail: str | None = None
    duration_s: float = 0.0
    clock: ClockReading | None = None
    asks_login: bool | None = Field(
        default=None, description="Whether it says who it is only to a login; null where it was not asked."
    )
    device: DeviceFacts = DeviceFacts()
    profiles: tuple[MediaProfile, ...] = ()
    remarks: tuple[Remark, ...] = ()
    unanswered: tuple[str, ...] = Field(default=(), description="Operations that the device answered with a fault.")


class OnvifError(Exception):
    """`message` is short and holds neither a credential nor what the device wrote."""

    def __init__(self, cause: OnvifCause, message: str) -> None:
        super().__init__(cause, message)
        self.cause = cause
        self.message = message

    def __str__(self) -> str:
        return f"{self.cause}: {self.message}"


class FaultError(OnvifError):
    """The device answered `operation` with a SOAP fault that is not about the login."""

    def __init__(self, operation: str) -> None:
        super().__init__(OnvifCause.PROTOCOL_ERROR, f"{operation} was answered with a fault")
        self.operation = operation

"""What a simulator consists of: its cameras and centres, as a JSON file or as objects in a test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from simulator.devices.faults import MAX_DELAY_S, CameraFault, CentreFault, FaultError
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl

type Auth = Literal["none", "basic", "digest", "digest-sha256", "digest-both"]
type MediaTransport = Literal["tcp", "udp"]
type Packing = Literal["aggregated", "single"]
type VideoCodec = Literal["h264", "h265"]
type AudioCodec = Literal["none", "pcma", "pcmu", "aac"]
type Scene = Literal["shapes", "day", "night", "noisy", "static", "static_no_clock", "fog"]

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Port = Annotated[int, Field(ge=0, le=65535)]


class ConfigError(ValueError):
    """A configuration file that cannot be used; the message names the file, the field and a right value."""


def _check_addresses(addresses: dict[str, str]) -> dict[str, str]:
    for path, address in addresses.items():
        try:
            named = RtspUrl.parse(address)
        except MalformedError as error:
            msg = f"{path}: {error.message}"
            raise ValueError(msg) from None
        if named.credentials is not None:
            msg = f"{path}: the login goes into username and password, not into an address"
            raise ValueError(msg)
    return addresses


PulledPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,200}$")]
PulledAddresses = Annotated[dict[PulledPath, str], Field(max_length=10_000), AfterValidator(_check_addresses)]


class DeviceConfig(BaseModel):
    """What cameras and centres have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier
    port: Port = Field(default=0, description="TCP port; 0 takes a free one.")
    auth: Auth = Field(default="none", description="How clients must log in.")
    username: str = ""
    password: SecretStr = SecretStr("")
    tls: bool = Field(default=False, description="RTSPS, with a certificate of the simulator's own authority.")
    session_timeout_s: int = Field(default=60, ge=1, le=3600, description="A silent session ends after this.")
    ends_silent_tcp: bool = Field(
        default=True, description="Whether a silent client is cut off too while media flows over its connection."
    )

    @model_validator(mode="after")
    def _credentials_fit(self) -> Self:
        if self.auth != "none" and not self.username:
            msg = f"{self.id}: auth {self.auth!r} needs a username"
            raise ValueError(msg)
        return self


class CameraConfig(DeviceConfig):
    """One virtual camera."""

    path: str = Field(default="/live", pattern=r"^/[!-~]*$", description="Path (and query) of the stream.")
    codec: VideoCodec = "h264"
    width: int = Field(default=640, ge=64, le=3840, multiple_of=2)
    height: int = Field(default=360, ge=64, le=2160, multiple_of=2)
    fps: int = Field(default=15, ge=1, le=60)
    bitrate_kbps: int = Field(default=600, ge=16, le=50_000)
    gop_s: float = Field(default=1.0, gt=0, le=30, description="Seconds from keyframe to keyframe.")
    loop_s: float = Field(default=7.0, gt=0, le=600, description="Length of the clip, in whole GOPs.")
    clock: bool = Field(
        default=False,
        description="Whether the time of day is written into each keyframe as it is sent, where there is text: "
        "the clip comes again, and no keyframe ever does. Costs some milliseconds a keyframe.",
    )
    audio: AudioCodec = "none"
    scene: Scene = Field(default="shapes", description="What the camera sees.")
    number: int | None = Field(
        default=None,
        ge=0,
        le=99_999,
        description="Number in the picture, by default the place in the list. Cameras that share it share a clip.",
    )
    transports: tuple[MediaTransport, ...] = Field(
        default=("tcp", "udp"), min_length=1, description="Ways that media goes out; any other gets 461."
    )
    max_sessions: int = Field(default=8, ge=1, le=10_000, description="More sessions get 453.")
    answer_delay_s: float = Field(
        default=0.0, ge=0, le=5, description="Every RTSP answer comes so late, as over a mobile network."
    )
    starts_with_keyframe: bool = Field(
        default=True, description="Whether the first session of an idle camera begins at a keyframe."
    )
    packing: Packing = Field(
        default="aggregated",
        description="Parameter sets in one packet, or every unit in one of its own behind an access unit delimiter, as "
        "`x264enc ! rtph264pay` sends them.",
    )
    fault: CameraFault | None = Field(default=None, description="A fault from the start.")


class PullingConfig(BaseModel):
    """What a centre pulls, and as whom: its login is that of the platform it pulls from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str = ""
    password: SecretStr = SecretStr("")
    addresses: PulledAddresses = Field(
        default={}, description="RTSP address by the path that its stream has at the centre."
    )
    transport: MediaTransport = "tcp"
    first_after_s: float = Field(default=0.0, ge=0, le=60, description="A new address is pulled so long after.")
    again_s: float = Field(default=1.0, gt=0, le=600, description="It comes back so long after a session's end.")
    again_most_s: float = Field(
        default=15.0,
        gt=0,
        le=3600,
        description="Twice as late after each attempt that brought nothing, up to this; after a wrong login at once.",
    )
    silence_s: float = Field(default=10.0, gt=0, le=600, description="A session without media ends after this.")

    def pause_s(self, failures: int, *, locked_out: bool) -> float:
        """Seconds until the next attempt, after so many that brought nothing."""
        return self.again_most_s if locked_out else min(self.again_s * 2 ** min(failures, 20), self.again_most_s)

    def with_login(self, username: str, password: str) -> Self:
        return self.model_copy(update={"username": username, "password": SecretStr(password)})

    def with_addresses(self, addresses: Mapping[str, str]) -> Self:
        return self.model_copy(update={"addresses": dict(addresses)})


class CentreConfig(DeviceConfig):
    """One virtual monitoring centre."""

    second_publisher_status: Literal[406, 455] = Field(
        default=406, description="Answer to ANNOUNCE of a path that is being published."
    )
    channels: Literal["asked", "other"] = Field(
        default="asked", description="Interleaved channels in the answer to SETUP: those asked for, or others."
    )
    gop_cache_bytes: int = Field(
        default=1 << 20, ge=0, description="Current GOP kept per stream for new viewers; a longer one is not kept."
    )
    kept_s: float = Field(
        default=0.0,
        ge=0,
        le=MAX_DELAY_S,
        description="Seconds of media kept in memory per stream: what `replay` and `late_playback` can reach back.",
    )
    pulling: PullingConfig = Field(
        default=PullingConfig(), description="What it pulls by itself; it plays that back as what is published to it."
    )
    fault: CentreFault | None = Field(default=None, description="A fault from the start.")

    @model_validator(mode="after")
    def _keeps_enough(self) -> Self:
        if self.fault is not None:
            self.require_kept(self.fault)
        return self

    def require_kept(self, fault: CentreFault) -> None:
        """Refuse a fault that reaches further back than this centre keeps media. Raises FaultError."""
        if fault.needs_kept_s > self.kept_s:
            msg = (
                f"kept_s: centre {self.id} keeps {self.kept_s:g} s of media, and {fault.fault} needs "
                f"{fault.needs_kept_s:g}: configure the centre with that"
            )
            raise FaultError(msg)


class SimulatorConfig(BaseModel):
    """All cameras and centres of one simulator. Ids are unique among cameras and among centres."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cameras: list[CameraConfig] = []
    centres: list[CentreConfig] = []

    @model_validator(mode="after")
    def _unique(self) -> Self:
        for noun, devices in (("camera", self.cameras), ("centre", self.centres)):
            _require_unique(f"{noun} id", [device.id for device in devices])
        ports = [device.port for device in (*self.cameras, *self.centres) if device.port]
        _require_unique("port", ports)
        return self

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a JSON file. Raises ConfigError naming the file and the field."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            msg = f"{path}: {error.strerror or error}"
            raise ConfigError(msg) from error
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            msg = f"{path}: {field}: {first['msg']}" if field else f"{path}: {first['msg']}"
            raise ConfigError(msg) from None


def _require_unique(what: str, values: list[str] | list[int]) -> None:
    seen: set[str | int] = set()
    for value in values:
        if value in seen:
            msg = f"{what} {value} is used twice"
            raise ValueError(msg)
        seen.add(value)

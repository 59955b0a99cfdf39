"""Settings of inventory, from environment variables VONGGAC_INVENTORY_…"""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.settings import RecordKeeperSettings, SettingsConfigDict, set_by
from vonggac.settings.database import DatabaseUrl
from vonggac.settings.networks import DENIED_ENDPOINTS, EndpointTexts, NetworkTexts
from vonggac.settings.served_addresses import ServedAddressTexts


class Settings(RecordKeeperSettings):
    """Settings of inventory."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_INVENTORY_", extra="ignore", frozen=True)
    constants: ClassVar[frozenset[str]] = RecordKeeperSettings.constants | {
        "relay_poll_s",
        "reconcile_every_s",
    }

    port: int = Field(
        default=8101,
        ge=0,
        le=65535,
        description="Port of the HTTP API; 0 takes a free one.",
        json_schema_extra=set_by("chart, compose and `make run`; who installs, where a port is taken"),
    )
    database_url: DatabaseUrl = Field(
        description="PostgreSQL, e.g. postgresql+psycopg://user:password@host:5432/inventory.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    database_password_file: Path | None = Field(
        default=None,
        description="File with the password of that user, any characters; wins over one in the URL.",
        json_schema_extra=set_by("chart and compose"),
    )
    workers_public_key_file: Path = Field(
        description="Public key that seals credentials (workers.pub).",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    import_max_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1024,
        description="Largest file accepted, bytes.",
        json_schema_extra=set_by("operator, before a file that is larger"),
    )
    import_queue_bytes: int = Field(
        default=40 * 1024 * 1024,
        ge=1024,
        description="Bytes of the files of all imports that wait or run; one beyond gets 429. The largest file always "
        "has room alone.",
        json_schema_extra=set_by("operator, with the process's memory limit"),
    )
    write_wait_s: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="Seconds a change waits for the one before it; then 503.",
        json_schema_extra=set_by("operator, where imports hold other changes up for longer"),
    )
    allowed_networks: NetworkTexts = Field(
        default=(),
        description="Allowed networks of cameras and destinations, CIDR, comma separated: an IP address outside "
        "is refused when it is entered, as the workers refuse it when they connect. Unset: only the workers check.",
        json_schema_extra=set_by("who installs: the networks of cameras and centres"),
    )
    retention_days: int = Field(
        default=365,
        ge=30,
        le=36_500,
        description="Days after the closing of a facility until what it leaves of people, photos, links and logins is "
        "due for its purge (R23).",
        json_schema_extra=set_by("who answers for personal data, by the law or a decision"),
    )
    retention_source: str = Field(
        default="Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15; thời hạn do đơn vị chủ trì đặt",
        min_length=1,
        max_length=500,
        description="Who says so: the law, or the decision that sets these days. It stands in each record of a purge.",
        json_schema_extra=set_by("who answers for personal data, with `retention_days`"),
    )
    facility_link_page: str = Field(
        default="",
        max_length=500,
        pattern=r"^(https?://[^\s#]+)?$",
        description="Address of the page that a facility opens by its link, `/f` of the console; the QR code holds it "
        "with the token behind `#`, which no server sees. Unset: the QR code holds the token alone.",
        json_schema_extra=set_by("compose; who installs, when facilities open pages by a QR code"),
    )
    served_addresses: ServedAddressTexts = Field(
        default=(),
        description="Where centres that pull reach the forwarders: rtsps://host:port, or rtsp://host:port beside it or "
        "alone, comma separated. Unset: /v1/destinations/{id}/addresses answers 409.",
        json_schema_extra=set_by("chart and compose, when centres pull (operations/centres-that-pull.md)"),
    )
    denied_endpoints: EndpointTexts = Field(
        default=(),
        description=DENIED_ENDPOINTS,
        json_schema_extra=set_by(
            "chart and compose; who installs, where the platform's own hosts lie inside the allowed networks"
        ),
    )

    @property
    def import_queue_most_bytes(self) -> int:
        """The largest file has room."""
        return max(self.import_queue_bytes, self.import_max_bytes)

    @property
    def allowed(self) -> AllowedNetworks | None:
        """None: only the workers check."""
        if not self.allowed_networks:
            return None
        return AllowedNetworks.parse(self.allowed_networks, self.denied_endpoints)

"""Settings of inventory, from environment variables VONGGAC_INVENTORY_…"""

from pathlib import Path

from pydantic import Field

from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.settings import RecordKeeperSettings, SettingsConfigDict
from vonggac.settings.database import DatabaseUrl
from vonggac.settings.networks import DENIED_ENDPOINTS, EndpointTexts, NetworkTexts
from vonggac.settings.served_addresses import ServedAddressTexts


class Settings(RecordKeeperSettings):
    """Settings of inventory."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_INVENTORY_", extra="ignore", frozen=True)

    port: int = Field(default=8101, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one.")
    database_url: DatabaseUrl = Field(
        description="PostgreSQL, e.g. postgresql+psycopg://user:password@host:5432/inventory."
    )
    database_password_file: Path | None = Field(
        default=None, description="File with the password of that user, any characters; wins over one in the URL."
    )
    workers_public_key_file: Path = Field(description="Public key that seals credentials (workers.pub).")
    import_max_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, description="Largest file accepted, bytes.")
    import_queue_bytes: int = Field(
        default=40 * 1024 * 1024,
        ge=1024,
        description="Bytes of the files of all imports that wait or run; one beyond gets 429. The largest file always "
        "has room alone.",
    )
    relay_poll_s: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="Seconds between checks of the outbox when this process commits nothing.",
    )
    reconcile_every_s: float = Field(
        default=15.0, gt=0, le=300, description="Seconds between two searches for lost jobs."
    )
    write_wait_s: float = Field(
        default=30.0, gt=0, le=600, description="Seconds a change waits for the one before it; then 503."
    )
    allowed_networks: NetworkTexts = Field(
        default=(),
        description="Allowed networks of cameras and destinations, CIDR, comma separated: an IP address outside "
        "is refused when it is entered, as the workers refuse it when they connect. Unset: only the workers check.",
    )
    retention_days: int = Field(
        default=365,
        ge=30,
        le=36_500,
        description="Days after the closing of a facility until what it leaves of people, photos, links and logins is "
        "due for its purge (R23).",
    )
    retention_source: str = Field(
        default="Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15; thời hạn do đơn vị chủ trì đặt",
        min_length=1,
        max_length=500,
        description="Who says so: the law, or the decision that sets these days. It stands in each record of a purge.",
    )
    facility_link_page: str = Field(
        default="",
        max_length=500,
        pattern=r"^(https?://[^\s#]+)?$",
        description="Address of the page that a facility opens by its link, `/f` of the console; the QR code holds it "
        "with the token behind `#`, which no server sees. Unset: the QR code holds the token alone.",
    )
    served_addresses: ServedAddressTexts = Field(
        default=(),
        description="Where centres that pull reach the forwarders: rtsps://host:port, or rtsp://host:port beside it or "
        "alone, comma separated. Unset: /v1/destinations/{id}/addresses answers 409.",
    )
    denied_endpoints: EndpointTexts = Field(default=(), description=DENIED_ENDPOINTS)

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

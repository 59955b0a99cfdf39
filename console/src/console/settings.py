"""Settings of the console, from the environment (VONGGAC_CONSOLE_…)."""

import ipaddress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from vonggac.settings import ProcessSettings, SettingsConfigDict, set_by
from vonggac.settings.passwords import read_password

EMBEDDED_ISSUER = "http://127.0.0.1:8106"
"""Of `make run`: people by role to choose from. It listens on loopback alone."""
_ADDRESS = r"^https?://[^\s/@?#]+$"


class Settings(ProcessSettings):
    """What the console needs: its own address, the provider that signs people in, and the four services."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_CONSOLE_", extra="ignore", frozen=True)

    port: int = Field(
        default=8100,
        ge=0,
        le=65535,
        description="Port of the pages; 0 takes a free one.",
        json_schema_extra=set_by("chart, compose and `make run`; who installs, where a port is taken"),
    )
    base_url: str = Field(
        default="http://127.0.0.1:8100",
        pattern=_ADDRESS,
        description="Address by which browsers reach the console, without a path; https:// anywhere but on loopback.",
        json_schema_extra=set_by("chart and compose, from the host name of the pages"),
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s@?#]+$",
        description="OIDC provider that signs people in, as its discovery document names it. Unset: on loopback the "
        "issuer of `make run`; elsewhere the console does not start.",
        json_schema_extra=set_by("who installs: the provider that signs people in"),
    )
    oidc_client_id: str = Field(
        default="vong-gac-console",
        description="The console's client id at the provider.",
        json_schema_extra=set_by("who installs, as it is registered at the provider"),
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None,
        description="Its secret; unset: a public client, with PKCE alone.",
        json_schema_extra=set_by("tests; deployments set the file"),
    )
    oidc_client_secret_file: Path | None = Field(
        default=None,
        description="File with that secret; wins over it.",
        json_schema_extra=set_by("chart and compose, where the provider gives one"),
    )
    oidc_scope: str = Field(
        default="openid profile",
        description="Scopes to ask for; the access token must be one that the four services take.",
        json_schema_extra=set_by("who installs, where the provider wants other scopes"),
    )
    session_h: float = Field(
        default=12.0,
        gt=0,
        le=12,
        description="Hours for which a person stays signed in at most.",
        json_schema_extra=set_by("who answers for security"),
    )
    idle_min: float = Field(
        default=60.0,
        gt=0,
        le=720,
        description="Minutes without a page after which a person is signed out.",
        json_schema_extra=set_by("who answers for security"),
    )
    inventory_url: str = Field(
        default="http://127.0.0.1:8101",
        pattern=_ADDRESS,
        description="Inventory's API.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    reporting_url: str = Field(
        default="http://127.0.0.1:8104",
        pattern=_ADDRESS,
        description="Reporting's API.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    prober_url: str = Field(
        default="http://127.0.0.1:8102",
        pattern=_ADDRESS,
        description="The prober's API.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    forwarder_url: str = Field(
        default="http://127.0.0.1:8103",
        pattern=_ADDRESS,
        description="The forwarder's API.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    part_timeout_s: float = Field(
        default=3.0,
        gt=0,
        le=30,
        description="Seconds for the answer of a service to one part of a page.",
        json_schema_extra=set_by("operator, where parts of pages stay empty on a slow machine"),
    )
    province: str = Field(
        default="Quảng Trị",
        max_length=80,
        description="Name of the province, as the pages head it.",
        json_schema_extra=set_by("who installs, for another province"),
    )
    max_listeners: int = Field(
        default=300,
        ge=1,
        le=10_000,
        description="Pages that are updated live at a time; further ones stay as loaded.",
        json_schema_extra=set_by("operator, when more people keep pages open"),
    )

    @model_validator(mode="after")
    def refuse_what_is_not_safe(self) -> Self:
        """Refuse what would send cookies or tokens in the clear, or let nobody sign in. Raises ValueError."""
        here = is_loopback(urlsplit(self.base_url).hostname or "")
        if not here and not self.base_url.startswith("https://"):
            msg = "VONGGAC_CONSOLE_BASE_URL: outside loopback it begins with https:// (put TLS before the console)"
            raise ValueError(msg)
        if self.oidc_issuer is None and not (here and is_loopback(self.host)):
            msg = (
                "set VONGGAC_CONSOLE_OIDC_ISSUER to the address of the OIDC provider, and "
                "VONGGAC_CONSOLE_OIDC_CLIENT_ID as it is registered there: without a provider nobody signs in"
            )
            raise ValueError(msg)
        issuer = urlsplit(self.oidc_issuer or EMBEDDED_ISSUER)
        if issuer.scheme != "https" and not is_loopback(issuer.hostname or ""):
            msg = "VONGGAC_CONSOLE_OIDC_ISSUER: outside loopback it begins with https://"
            raise ValueError(msg)
        return self

    @property
    def issuer(self) -> str:
        return self.oidc_issuer or EMBEDDED_ISSUER

    @property
    def client_secret(self) -> str | None:
        """Raises OSError when its file cannot be read."""
        if self.oidc_client_secret_file is not None:
            return read_password(self.oidc_client_secret_file)
        return self.oidc_client_secret.get_secret_value() if self.oidc_client_secret is not None else None

    @property
    def secure(self) -> bool:
        """Whether browsers reach the console by TLS."""
        return self.base_url.startswith("https://")


def is_loopback(host: str) -> bool:
    """Whether a host of a URL is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

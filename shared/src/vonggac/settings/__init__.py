"""Settings every service has. Each service subclasses `ServiceSettings` once, with its own environment prefix; the
console, which knows no callers by tokens, `ProcessSettings`.

Names or types carry the unit. A value that does not fit stops the start with one line naming the variable and what is
right. A variable with the prefix that is no setting is logged: it does nothing.
"""

import difflib
import os
import sys
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from vonggac.telemetry import get_logger

__all__ = [
    "ProcessSettings",
    "RecordKeeperSettings",
    "ServiceSettings",
    "SettingsConfigDict",
    "describe",
    "load_or_exit",
    "log_unknown_settings",
]
log = get_logger(__name__)


class ProcessSettings(BaseSettings):
    """What every HTTP process beside NATS reads from the environment."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address the HTTP API listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port of the HTTP API; 0: any free port.")
    max_connections: int = Field(
        default=512,
        ge=8,
        le=65_536,
        description="Connections to the HTTP API at a time; the one that has been idle longest gives way to a new one, "
        "and where each is busy the new one gets a 503.",
    )
    header_timeout_s: float = Field(
        default=10.0, gt=0, le=300, description="Seconds for the head of a request; then the connection is closed."
    )
    idle_timeout_s: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="Seconds without a byte of a request's body, or without anybody reading an answer; then the "
        "connection is closed.",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses or networks of proxies before this API, comma separated: the caller's address is what "
        "they say in X-Forwarded-For.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["json", "console"] = Field(default="json", description="One JSON object a line, or for eyes.")
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s@?#]+$",
        description="Collector that gets spans by OTLP over HTTP, such as http://collector:4318; needs the extra "
        "`vonggac[otlp]`. Unset: none.",
    )
    otlp_own_traces_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the traces that a worker begins by itself, one for each fact, whose spans are exported.",
    )
    nats_url: str = Field(default="nats://127.0.0.1:4222", description="NATS servers, comma separated.")
    nats_user: str | None = Field(default=None, description="User of this service at NATS.")
    nats_password: SecretStr | None = Field(default=None, description="Password of that user.")
    nats_password_file: Path | None = Field(default=None, description="File with that password; wins over it.")
    nats_store_bytes: int | None = Field(
        default=None,
        gt=0,
        description="Bytes that the streams may take on the NATS server's disk (its STORE_BYTES); unset: not known.",
    )
    nats_ca_file: Path | None = Field(default=None, description="CA certificate (PEM) when NATS speaks TLS.")


class ServiceSettings(ProcessSettings):
    """What all four services read from the environment: how callers are known, beside the rest."""

    wrong_tokens_per_minute: int = Field(
        default=60,
        ge=1,
        le=100_000,
        description="Wrong tokens of one address in a minute, and passwords of calendar feeds; a further wrong one "
        "gets 429 with Retry-After.",
    )
    jwks_file: Path | None = Field(default=None, description="Public keys that sign callers' tokens (JWKS file).")
    jwks_url: str | None = Field(default=None, description="The same from an OIDC provider; wins over jwks_file.")
    jwt_issuer: str = Field(default="vong-gac", description="Issuer (`iss`) a token must name.")
    jwt_max_lifetime_h: float = Field(
        default=744.0,
        gt=0,
        le=87_600,
        description="Hours for which a token may be valid at most; a longer one is refused.",
    )
    jwt_audience: str = Field(default="vong-gac", description="Audience (`aud`) a token must name.")


class RecordKeeperSettings(ServiceSettings):
    """Settings of the services that keep on record who did what."""

    jwt_name_claim: str = Field(
        default="name", min_length=1, description="Claim with the full name of who calls: papers and pages show it."
    )
    jwt_post_claim: str = Field(
        default="vonggac_post", min_length=1, description="Claim with the post of who calls, shown after the name."
    )


def load_or_exit[S: BaseSettings](settings_class: type[S]) -> S:
    """Read the environment; on a bad value print one line per mistake and exit with status 2."""
    try:
        return settings_class()
    except ValidationError as error:
        _explain_and_exit(settings_class, error)


def log_unknown_settings(settings_class: type[BaseSettings]) -> None:
    """A warning for each variable that has the prefix and is no setting; call it when the logs are configured.

    It stops nothing: after a step back to an older release, the variables of the newer one are still there.
    """
    prefix = settings_class.model_config.get("env_prefix", "")
    known = [name.upper() for name in settings_class.model_fields]
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix(prefix)
        if variable.upper().startswith(prefix) and name not in known:
            close = difflib.get_close_matches(name, known, 1)
            log.warning("setting_unknown", setting=variable, meant=prefix + close[0] if close else None)


def _explain_and_exit(settings_class: type[BaseSettings], error: ValidationError) -> NoReturn:
    prefix = settings_class.model_config.get("env_prefix", "")
    for problem in error.errors():
        name = prefix + "_".join(str(part) for part in problem["loc"]).upper()
        sys.stderr.write(f"setting {name}: {problem['msg']}\n")
    raise SystemExit(2)


def describe(settings_class: type[BaseSettings]) -> list[tuple[str, str, str, str]]:
    """Rows (variable, type, default, meaning) of every setting, for the generated docs page."""
    prefix = settings_class.model_config.get("env_prefix", "")
    rows = []
    for name, field in settings_class.model_fields.items():
        kind = getattr(field.annotation, "__name__", None)
        shown = kind if kind and "[" not in str(field.annotation) else str(field.annotation)
        default = "required" if field.is_required() else _shown_default(field.get_default(call_default_factory=True))
        clean = shown.replace("typing.", "").replace("pydantic.types.", "").replace("pathlib._local.", "")
        rows.append((prefix + name.upper(), clean.replace("pathlib.", ""), default, field.description or ""))
    return rows


def _shown_default(value: object) -> str:
    return "(none)" if value is None else str(value)

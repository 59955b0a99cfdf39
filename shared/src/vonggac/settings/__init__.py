"""Settings every service has. Each service subclasses `ServiceSettings` once, with its own environment prefix; the
console, which knows no callers by tokens, `ProcessSettings`.

What nobody who runs the platform would set is no setting: it is a named constant beside what it bounds. Each setting
says who sets it, and when (`set_by`).

Names or types carry the unit. A value that does not fit stops the start with one line naming the variable and what is
right. A variable with the prefix that is no setting is logged: it does nothing.
"""

import difflib
import os
import sys
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, NoReturn

from pydantic import Field, JsonValue, SecretStr, ValidationError
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
    "set_by",
]
log = get_logger(__name__)
_SET_BY = "set_by"
_IS_CONSTANT = "this is a constant of the service now; remove the variable"


def set_by(who_and_when: str) -> dict[str, JsonValue]:
    """Say of a field (its `json_schema_extra`) who sets it, and when: a column of the reference."""
    return {_SET_BY: who_and_when}


class Setting(NamedTuple):
    """A row of the reference."""

    variable: str
    kind: str
    default: str
    """`required` where there is none."""
    meaning: str
    set_by: str
    """Empty where the field does not say."""


class ProcessSettings(BaseSettings):
    """What every HTTP process beside NATS reads from the environment."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)
    constants: ClassVar[frozenset[str]] = frozenset(("header_timeout_s", "idle_timeout_s"))
    """Names of former settings that are constants of the service now."""

    host: str = Field(
        default="127.0.0.1",
        description="Address the HTTP API listens on.",
        json_schema_extra=set_by("chart and compose (0.0.0.0), `make run` (loopback)"),
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="Port of the HTTP API; 0: any free port.",
        json_schema_extra=set_by("chart, compose and `make run`; who installs, where a port is taken"),
    )
    max_connections: int = Field(
        default=512,
        ge=8,
        le=65_536,
        description="Connections to the HTTP API at a time; the one that has been idle longest gives way to a new one, "
        "and where each is busy the new one gets a 503.",
        json_schema_extra=set_by("operator, where callers get 503 while the machine has room"),
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses or networks of proxies before this API, comma separated: the caller's address is what "
        "they say in X-Forwarded-For.",
        json_schema_extra=set_by("chart and compose; who installs, when a proxy stands before the API"),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Least level logged.",
        json_schema_extra=set_by("operator, for as long as a fault is sought"),
    )
    log_format: Literal["json", "console"] = Field(
        default="json",
        description="One JSON object a line, or for eyes.",
        json_schema_extra=set_by("`make run` (`console`); elsewhere JSON stays"),
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s@?#]+$",
        description="Collector that gets spans by OTLP over HTTP, such as http://collector:4318; needs the extra "
        "`vonggac[otlp]`. Unset: none.",
        json_schema_extra=set_by("operator, once there is a collector"),
    )
    otlp_own_traces_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the traces that a worker begins by itself, one for each fact, whose spans are exported.",
        json_schema_extra=set_by("operator, when the collector has room for more or less"),
    )
    nats_url: str = Field(
        default="nats://127.0.0.1:4222",
        description="NATS servers, comma separated.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    nats_user: str | None = Field(
        default=None,
        description="User of this service at NATS.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    nats_password: SecretStr | None = Field(
        default=None,
        description="Password of that user.",
        json_schema_extra=set_by("`make run` and tests; deployments set the file"),
    )
    nats_password_file: Path | None = Field(
        default=None,
        description="File with that password; wins over it.",
        json_schema_extra=set_by("chart and compose"),
    )
    nats_store_bytes: int | None = Field(
        default=None,
        gt=0,
        description="Bytes that the streams may take on the NATS server's disk (its STORE_BYTES); unset: not known.",
        json_schema_extra=set_by("chart and compose, from the size of NATS' disk"),
    )
    nats_ca_file: Path | None = Field(
        default=None,
        description="CA certificate (PEM) when NATS speaks TLS.",
        json_schema_extra=set_by("chart; who installs, when NATS speaks TLS with an authority of its own"),
    )


class ServiceSettings(ProcessSettings):
    """What all four services read from the environment: how callers are known, beside the rest."""

    wrong_tokens_per_minute: int = Field(
        default=60,
        ge=1,
        le=100_000,
        description="Wrong tokens of one address in a minute, and passwords of calendar feeds; a further wrong one "
        "gets 429 with Retry-After.",
        json_schema_extra=set_by("operator, when many callers share one address"),
    )
    jwks_file: Path | None = Field(
        default=None,
        description="Public keys that sign callers' tokens (JWKS file).",
        json_schema_extra=set_by("compose and `make run`; chart without a provider"),
    )
    jwks_url: str | None = Field(
        default=None,
        description="The same from an OIDC provider; wins over jwks_file.",
        json_schema_extra=set_by("who installs, when an OIDC provider signs the tokens"),
    )
    jwt_issuer: str = Field(
        default="vong-gac",
        description="Issuer (`iss`) a token must name.",
        json_schema_extra=set_by("who installs, with `jwks_url`"),
    )
    jwt_max_lifetime_h: float = Field(
        default=744.0,
        gt=0,
        le=87_600,
        description="Hours for which a token may be valid at most; a longer one is refused.",
        json_schema_extra=set_by("who answers for security, as the provider's tokens are shorter or longer"),
    )
    jwt_audience: str = Field(
        default="vong-gac",
        description="Audience (`aud`) a token must name.",
        json_schema_extra=set_by("who installs, with `jwks_url`"),
    )


class RecordKeeperSettings(ServiceSettings):
    """Settings of the services that keep on record who did what."""

    jwt_name_claim: str = Field(
        default="name",
        min_length=1,
        description="Claim with the full name of who calls: papers and pages show it.",
        json_schema_extra=set_by("who installs, where the provider calls the claim otherwise"),
    )
    jwt_post_claim: str = Field(
        default="vonggac_post",
        min_length=1,
        description="Claim with the post of who calls, shown after the name.",
        json_schema_extra=set_by("who installs, where the provider calls the claim otherwise"),
    )


def load_or_exit[S: BaseSettings](settings_class: type[S]) -> S:
    """Read the environment; on a bad value print one line per mistake and exit with status 2."""
    try:
        return settings_class()
    except ValidationError as error:
        _explain_and_exit(settings_class, error)


def log_unknown_settings(settings_class: type[BaseSettings]) -> None:
    """Log a warning for each variable that has the prefix and is no setting; call it when the logs are configured.

    It stops nothing: after a step back to an older release, the variables of the newer one are still there.
    """
    prefix = settings_class.model_config.get("env_prefix", "")
    known = [name.upper() for name in settings_class.model_fields]
    constants: frozenset[str] = getattr(settings_class, "constants", frozenset())
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix(prefix)
        if variable.upper().startswith(prefix) and name not in known:
            if name.lower() in constants:
                log.warning("setting_unknown", setting=variable, meant=None, advice=_IS_CONSTANT)
                continue
            close = difflib.get_close_matches(name, known, 1)
            log.warning("setting_unknown", setting=variable, meant=prefix + close[0] if close else None)


def _explain_and_exit(settings_class: type[BaseSettings], error: ValidationError) -> NoReturn:
    prefix = settings_class.model_config.get("env_prefix", "")
    for problem in error.errors():
        name = prefix + "_".join(str(part) for part in problem["loc"]).upper()
        sys.stderr.write(f"setting {name}: {problem['msg']}\n")
    raise SystemExit(2)


def describe(settings_class: type[BaseSettings]) -> list[Setting]:
    """Rows of every setting, for the generated docs page."""
    prefix = settings_class.model_config.get("env_prefix", "")
    rows = []
    for name, field in settings_class.model_fields.items():
        kind = getattr(field.annotation, "__name__", None)
        shown = kind if kind and "[" not in str(field.annotation) else str(field.annotation)
        default = "required" if field.is_required() else _shown_default(field.get_default(call_default_factory=True))
        clean = shown.replace("typing.", "").replace("pydantic.types.", "").replace("pathlib._local.", "")
        extra = field.json_schema_extra
        setter = str(extra.get(_SET_BY, "")) if isinstance(extra, dict) else ""
        variable = prefix + name.upper()
        rows.append(Setting(variable, clean.replace("pathlib.", ""), default, field.description or "", setter))
    return rows


def _shown_default(value: object) -> str:
    return "(none)" if value is None else str(value)

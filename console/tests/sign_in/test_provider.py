"""Which ID tokens sign a person in, at the embedded issuer's own keys; and what settings refuse to start with."""

import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from console.settings import Settings
from console.sign_in.provider import Provider, ProviderAwayError, SignInRefusedError
from local.issuer.settings import IssuerSettings
from vonggac.auth.keys import JWKS, signing_key
from vonggac.embedded import free_port

CLIENT, NONCE = "vong-gac-console", "asked-with-this"


def id_token(settings: IssuerSettings, key: Ed25519PrivateKey | None = None, **changed: Any) -> str:
    """One that fits, with claims changed; None takes a claim away."""
    now = int(time.time())
    claims = {
        "iss": settings.address,
        "aud": CLIENT,
        "sub": "lead",
        "name": "Người chủ trì",
        "iat": now,
        "exp": now + 60,
        "nonce": NONCE,
        **changed,
    }
    key_id = jwt.PyJWKSet.from_json((settings.keys / JWKS).read_text("utf-8")).keys[0].key_id
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, key or signing_key(settings.keys), algorithm="EdDSA", headers={"kid": key_id})


@pytest.mark.server
async def test_an_id_token_that_answers_our_question_names_the_person(issuer: IssuerSettings) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        found = await Provider(issuer.address, CLIENT, client).person(id_token(issuer), NONCE)
    assert (found.subject, found.name) == ("lead", "Người chủ trì")


@pytest.mark.server
@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
    ],
)
async def test_an_id_token_of_anything_else_signs_nobody_in(issuer: IssuerSettings, changed: dict[str, Any]) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(SignInRefusedError):
            await Provider(issuer.address, CLIENT, client).person(id_token(issuer, **changed), NONCE)


@pytest.mark.server
async def test_an_id_token_signed_by_somebody_else_signs_nobody_in(issuer: IssuerSettings) -> None:
    other = Ed25519PrivateKey.generate()
    unsigned = jwt.encode({"iss": issuer.address, "aud": CLIENT, "sub": "x"}, "", algorithm="none")
    async with httpx.AsyncClient(trust_env=False) as client:
        provider = Provider(issuer.address, CLIENT, client)
        for token in (id_token(issuer, other), unsigned, "no.jwt", ""):
            with pytest.raises(SignInRefusedError):
                await provider.person(token, NONCE)


async def test_a_provider_that_is_away_is_said_to_be_away() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(ProviderAwayError):
            await Provider(f"http://127.0.0.1:{free_port()}", CLIENT, client).endpoints()


@pytest.mark.server
async def test_a_document_of_another_issuer_is_refused(issuer: IssuerSettings) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(ProviderAwayError):
            await Provider(issuer.address.replace("127.0.0.1", "localhost"), CLIENT, client).endpoints()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"base_url": "https://vonggac.example"}, "VONGGAC_CONSOLE_OIDC_ISSUER"),
        ({"base_url": "http://vonggac.example", "oidc_issuer": "https://id.example"}, "VONGGAC_CONSOLE_BASE_URL"),
        ({"base_url": "http://10.0.0.1:8100", "oidc_issuer": "https://id.example"}, "VONGGAC_CONSOLE_BASE_URL"),
        ({"base_url": "https://vonggac.example", "oidc_issuer": "http://id.example"}, "VONGGAC_CONSOLE_OIDC_ISSUER"),
        ({"host": "0.0.0.0"}, "VONGGAC_CONSOLE_OIDC_ISSUER"),
        ({"host": "10.0.0.1", "base_url": "https://localhost:8443"}, "VONGGAC_CONSOLE_OIDC_ISSUER"),
        ({"base_url": "https://vonggac.example", "oidc_issuer": "http://127.0.0.1.evil.example"}, "OIDC_ISSUER"),
    ],
)
def test_outside_loopback_nothing_starts_without_tls_and_a_provider(given: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Settings.model_validate(given)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8100", "http://localhost:8100", "http://[::1]:8100"])
def test_on_loopback_the_embedded_issuer_signs_people_in(base_url: str) -> None:
    assert Settings.model_validate({"base_url": base_url}).issuer == "http://127.0.0.1:8106"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_the_embedded_issuer_listens_on_loopback_alone(host: str) -> None:
    with pytest.raises(ValidationError, match="loopback"):
        IssuerSettings.model_validate({"host": host, "keys": "keys"})

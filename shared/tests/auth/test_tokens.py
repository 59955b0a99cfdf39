"""Who may call: tokens are checked for signature, time, issuer and audience; roles carry rights."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vonggac.auth import Principal, Right, Role, TokenVerifier
from vonggac.auth.keys import JWKS, REPORTING_SEAL, SIGNING_KEY, WORKERS_PRIVATE, ensure_keys, token_issuer
from vonggac.auth.tokens import TokenError, TokenIssuer


@pytest.fixture
def verifier(keys_folder: Path) -> TokenVerifier:
    return TokenVerifier(jwks_file=keys_folder / JWKS, jwks_url=None, issuer="vong-gac", audience="vong-gac")


async def test_a_token_of_the_platforms_own_key_names_its_caller(
    verifier: TokenVerifier, token_for: Callable[[Role], str]
) -> None:
    caller = await verifier.verify(token_for(Role.OPERATOR))
    assert caller == Principal("test-operator", frozenset({Role.OPERATOR}))


async def test_an_expired_token_is_refused(verifier: TokenVerifier, keys_folder: Path) -> None:
    token = token_issuer(keys_folder).issue(
        subject="a",
        roles=frozenset({Role.READER}),
        valid_for=timedelta(minutes=1),
        now=datetime(2021, 5, 7, tzinfo=UTC),
    )
    with pytest.raises(TokenError, match="expired"):
        await verifier.verify(token)


async def test_a_token_signed_by_a_stranger_is_refused(verifier: TokenVerifier, keys_folder: Path) -> None:
    known_id = json.loads((keys_folder / JWKS).read_text("utf-8"))["keys"][0]["kid"]
    for key_id in (known_id, "other"):
        stranger = TokenIssuer(Ed25519PrivateKey.generate(), key_id=key_id)
        token = stranger.issue(subject="a", roles=frozenset(Role), valid_for=timedelta(hours=1))
        with pytest.raises(TokenError):
            await verifier.verify(token)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_unsigned_and_symmetric_tokens_are_refused(
    verifier: TokenVerifier, keys_folder: Path, algorithm: str
) -> None:
    public = json.loads((keys_folder / JWKS).read_text("utf-8"))["keys"][0]
    claims = {"iss": "vong-gac", "aud": "vong-gac", "sub": "a", "exp": 4_000_000_000, "roles": ["province_lead"]}
    secret = public["x"] if algorithm == "HS256" else ""
    token = jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": public["kid"]})
    with pytest.raises(TokenError):
        await verifier.verify(token)


@pytest.mark.parametrize(("issuer", "audience"), [("else", "vong-gac"), ("vong-gac", "else")])
async def test_tokens_for_somebody_else_are_refused(keys_folder: Path, issuer: str, audience: str) -> None:
    strict = TokenVerifier(jwks_file=keys_folder / JWKS, jwks_url=None, issuer=issuer, audience=audience)
    token = token_issuer(keys_folder).issue(subject="a", roles=frozenset(Role), valid_for=timedelta(hours=1))
    with pytest.raises(TokenError):
        await strict.verify(token)


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 5000, "ý"])
async def test_text_that_is_no_token_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(TokenError):
        await verifier.verify(token)


async def test_a_new_signing_key_is_found_without_a_restart(tmp_path: Path) -> None:
    ensure_keys(tmp_path)
    verifier = TokenVerifier(jwks_file=tmp_path / JWKS, jwks_url=None, issuer="vong-gac", audience="vong-gac")
    (tmp_path / SIGNING_KEY).unlink()
    ensure_keys(tmp_path)
    token = token_issuer(tmp_path).issue(subject="a", roles=frozenset({Role.READER}), valid_for=timedelta(hours=1))
    assert (await verifier.verify(token)).subject == "a"


def test_a_verifier_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="jwks_file or jwks_url"):
        TokenVerifier(jwks_file=None, jwks_url=None, issuer="a", audience="a")


def test_private_key_files_are_for_their_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    ensure_keys(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in (SIGNING_KEY, WORKERS_PRIVATE, REPORTING_SEAL)}
    ensure_keys(tmp_path)
    for name, content in before.items():
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
        assert (tmp_path / name).read_bytes() == content


def test_only_lead_and_operator_change_things() -> None:
    for right in (Right.ADD, Right.CHANGE, Right.IMPORT, Right.WRITE_SECRET):
        may = {role for role in Role if Principal("a", frozenset({role})).may(right)}
        assert may == {Role.PROVINCE_LEAD, Role.OPERATOR}
    assert not Principal("a", frozenset()).may(Right.READ)
    assert all(Principal("a", frozenset({role})).may(Right.READ) for role in Role)

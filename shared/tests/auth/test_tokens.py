"""Who may call: tokens are checked for signature, time, issuer and audience; roles carry rights."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vonggac.auth import AccessScope, Principal, Right, Role, TokenVerifier
from vonggac.auth.keys import (
    JWKS,
    REPORTING_SEAL,
    SIGNING_KEY,
    WORKERS_PRIVATE,
    ensure_keys,
    signing_key,
    token_issuer,
)
from vonggac.auth.rights import RIGHTS
from vonggac.auth.tokens import SCOPE_CLAIM, TokenError, TokenIssuer
from vonggac.http.problems import OF_LIBRARY


@pytest.fixture
def verifier(keys_folder: Path) -> TokenVerifier:
    return TokenVerifier(jwks_file=keys_folder / JWKS, jwks_url=None, issuer="vong-gac", audience="vong-gac")


async def test_a_token_of_the_platforms_own_key_names_its_caller(
    verifier: TokenVerifier, token_for: Callable[[Role], str]
) -> None:
    caller = await verifier.verify(token_for(Role.OPERATOR))
    assert caller == Principal("test-operator", frozenset({Role.OPERATOR}))


async def test_a_token_says_what_of_the_province_it_is_for(
    verifier: TokenVerifier, token_for: Callable[..., str], keys_folder: Path
) -> None:
    agency, unit, facility = uuid4(), uuid4(), uuid4()
    parts = (f"agency:{agency}", f"unit:{unit}", f"facility:{facility}")
    scope = AccessScope(frozenset({agency}), frozenset({unit}), frozenset({facility}))
    assert (await verifier.verify(token_for(Role.FACILITY, *parts))).scope == scope
    assert (await verifier.verify(signed(keys_folder, {SCOPE_CLAIM: list(parts)}))).scope == scope
    assert (await verifier.verify(token_for(Role.OPERATOR))).scope is None


async def test_a_token_says_the_name_and_post_of_who_calls(
    verifier: TokenVerifier, token_for: Callable[..., str], keys_folder: Path
) -> None:
    caller = await verifier.verify(token_for(Role.READER, name="Nguyễn  Văn An", post="Phó Giám đốc"))
    assert (caller.name, caller.post) == ("Nguyễn Văn An", "Phó Giám đốc")
    own = TokenVerifier(
        jwks_file=keys_folder / JWKS,
        jwks_url=None,
        issuer="vong-gac",
        audience="vong-gac",
        person_claims=("ho_ten", "jobTitle"),
    )
    caller = await own.verify(signed(keys_folder, {"name": "an", "ho_ten": "Nguyễn Văn An", "jobTitle": "Chuyên viên"}))
    assert (caller.name, caller.post) == ("Nguyễn Văn An", "Chuyên viên")


@pytest.mark.parametrize(
    "given", [None, 5, [], {}, ["An"], "", " ", "a" * 256, "An\x00", "An\ud800", "\u202eAn"], ids=ascii
)
async def test_a_name_that_cannot_be_shown_is_none_and_keeps_nobody_out(
    verifier: TokenVerifier, keys_folder: Path, given: object
) -> None:
    caller = await verifier.verify(signed(keys_folder, {"name": given, "vonggac_post": given}))
    assert (caller.subject, caller.name, caller.post) == ("a", "", "")


@pytest.mark.parametrize(
    "given",
    [
        [],
        None,
        "",
        "facility:all",
        {},
        5,
        ["facility:"],
        ["facility:all"],
        ["province:*"],
        [""],
        [None],
        [["a"]],
        ["facility:5", "agency:00000000-0000-0000-0000-000000000000"],
        [f"unit:{'0' * 32}"] * 201,
    ],
    ids=str,
)
async def test_a_scope_that_cannot_be_read_admits_nobody(
    verifier: TokenVerifier, keys_folder: Path, given: object
) -> None:
    with pytest.raises(TokenError, match=SCOPE_CLAIM):
        await verifier.verify(signed(keys_folder, {SCOPE_CLAIM: given}))


async def test_an_expired_token_is_refused(verifier: TokenVerifier, keys_folder: Path) -> None:
    token = token_issuer(keys_folder).issue(
        subject="a",
        roles=frozenset({Role.READER}),
        valid_for=timedelta(minutes=1),
        now=datetime(2021, 5, 7, tzinfo=UTC),
    )
    with pytest.raises(TokenError, match="expired"):
        await verifier.verify(token)


@pytest.mark.parametrize("server_ahead_s", [600.0, -600.0])
async def test_skew_of_this_machine_makes_no_token_invalid_and_none_last_longer(
    keys_folder: Path, server_ahead_s: float
) -> None:
    def server_s() -> float:
        return time.time() + server_ahead_s

    def token(issued_s: float) -> str:
        roles, issued = frozenset({Role.READER}), datetime.fromtimestamp(issued_s, UTC)
        return token_issuer(keys_folder).issue(subject="a", roles=roles, valid_for=timedelta(minutes=5), now=issued)

    verifier = TokenVerifier(
        jwks_file=keys_folder / JWKS, jwks_url=None, issuer="vong-gac", audience="vong-gac", unix_s=server_s
    )
    assert (await verifier.verify(token(server_s()))).subject == "a"
    with pytest.raises(TokenError, match="expired"):
        await verifier.verify(token(server_s() - 400))
    with pytest.raises(TokenError, match="not valid yet"):
        await verifier.verify(token(server_s() + 60))
    with pytest.raises(TokenError, match="not valid yet"):
        await verifier.verify(signed(keys_folder, {"exp": server_s() + 300, "nbf": server_s() + 60}))


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


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"aud": "else"}, "for another audience; its aud must be 'vong-gac'"),
        ({"iss": "else"}, "of another issuer; its iss must be 'vong-gac'"),
        ({"sub": 5}, "its subject is not 1 to 255 printable characters"),
    ],
    ids=["aud", "iss", "sub"],
)
async def test_a_refused_token_gets_a_sentence_in_both_languages(
    verifier: TokenVerifier, keys_folder: Path, claims: dict[str, object], sentence: str
) -> None:
    with pytest.raises(TokenError, match=sentence) as refused:
        await verifier.verify(signed(keys_folder, claims))
    assert "mã truy cập" in OF_LIBRARY.of_detail("unauthorized", str(refused.value))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda token: token.rpartition(".")[0], "the token is no JWT"),
        (lambda token: f"Bearer {token}", "the token is no JWT"),
        (lambda token: token[:40], "the token is no JWT"),
        (lambda token: f"{token.rpartition('.')[0]}.{'A' * 86}", "signature does not fit"),
        (lambda token: token.replace(".", ".e30", 1), "the token is no JWT|signature does not fit"),
    ],
    ids=["two parts", "a word before", "cut off", "another signature", "another body"],
)
async def test_a_damaged_token_gets_a_sentence_and_not_the_decoders(
    verifier: TokenVerifier, keys_folder: Path, damage: Callable[[str], str], sentence: str
) -> None:
    with pytest.raises(TokenError, match=sentence):
        await verifier.verify(damage(signed(keys_folder, {})))


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


def test_only_lead_operator_and_who_is_named_change_things() -> None:
    for right in (Right.ADD, Right.CHANGE, Right.IMPORT, Right.WRITE_SECRET):
        may = {role for role in Role if Principal("a", frozenset({role})).may(right)}
        assert may - {Role.DECIDER} == {Role.PROVINCE_LEAD, Role.OPERATOR}
        assert (Role.DECIDER in may) is (right in {Right.ADD, Right.CHANGE})
    assert not Principal("a", frozenset()).may(Right.READ)
    here = AccessScope(facilities=frozenset({uuid4()}))
    blind = {role for role in Role if not Principal("a", frozenset({role}), here).may(Right.READ)}
    assert blind == {Role.VIEWER}


@pytest.mark.parametrize("role", [Role.MANAGING_AGENCY, Role.FACILITY])
def test_an_agency_and_a_facility_are_nobody_without_a_scope(role: Role) -> None:
    assert Principal("a", frozenset({role})).rights == frozenset()
    assert "in a token with a scope" in Principal("a", frozenset({role})).why_not(Right.READ)
    assert Principal("a", frozenset({role, Role.READER})).rights == RIGHTS[Role.READER]


def test_a_refusal_names_who_has_the_right_in_both_languages() -> None:
    refusal = Principal("a", frozenset({Role.OPERATOR})).why_not(Right.INVITE)
    assert "'invite', which the roles 'province_lead', 'managing_agency' have, and the token has 'operator'" in refusal
    vietnamese = OF_LIBRARY.of_detail("forbidden", refusal)
    assert "'invite': thuộc các vai trò 'province_lead', 'managing_agency'; tài khoản này" in vietnamese


def test_each_new_right_is_somebody_s_and_not_everybody_s() -> None:
    here = AccessScope(facilities=frozenset({uuid4()}))
    for right, without in {
        Right.READ_RESTRICTED: {Role.READER, Role.VIEWER},
        Right.READ_PEOPLE: {Role.READER, Role.SERVICE, Role.VIEWER},
        Right.READ_AUDIT: {Role.OPERATOR, Role.MANAGING_AGENCY, Role.FACILITY, Role.READER, Role.SERVICE, Role.VIEWER},
        Right.VIEW: set(Role) - {Role.PROVINCE_LEAD, Role.VIEWER},
    }.items():
        assert {role for role in Role if not Principal("a", frozenset({role}), here).may(right)} == without


def signed(keys_folder: Path, claims: dict[str, object], **headers: object) -> str:
    """A token of the platform's own key with these claims in place of the usual ones."""
    usual = {"iss": "vong-gac", "aud": "vong-gac", "sub": "a", "roles": ["reader"], "exp": time.time() + 60}
    key_id = json.loads((keys_folder / JWKS).read_text("utf-8"))["keys"][0]["kid"]
    head = {"alg": "EdDSA", "kid": key_id, "typ": "JWT"} | headers
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, usual | claims)]
    signature = signing_key(keys_folder).sign(b".".join(parts))
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


async def test_a_token_signed_by_hand_is_one(verifier: TokenVerifier, keys_folder: Path) -> None:
    assert await verifier.verify(signed(keys_folder, {})) == Principal("a", frozenset({Role.READER}))


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": [["province_lead"]]},
        {"roles": [{"name": "reader"}]},
        {"roles": [1, "reader"]},
        {"roles": [None]},
        {"roles": "province_lead"},
        {"roles": {"reader": True}},
        {"roles": None},
        {"sub": "a\ud800"},
        {"sub": ""},
        {"sub": "a\0"},
        {"sub": "a\u202eb"},
        {"sub": 5},
        {"sub": "x" * 300},
        {"exp": 4_000_000_000},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": 10**30},
        {"exp": "soon"},
        {"exp": [1]},
        {"exp": None},
        {"iat": float("inf")},
        {"nbf": float("inf")},
        {"iat": "x"},
        {"iat": True},
        {"nbf": "0"},
        {"typ": "ID"},
        {"typ": "Refresh"},
        {"typ": ["Bearer"]},
        {"typ": 5},
        {"aud": [["vong-gac"]]},
        {"iss": ["vong-gac"]},
    ],
    ids=str,
)
async def test_claims_that_say_something_else_are_refused(
    verifier: TokenVerifier, keys_folder: Path, claims: dict[str, object]
) -> None:
    with pytest.raises(TokenError):
        await verifier.verify(signed(keys_folder, claims))


async def test_a_time_in_quotation_marks_is_none(verifier: TokenVerifier, keys_folder: Path) -> None:
    with pytest.raises(TokenError, match="not numbers"):
        await verifier.verify(signed(keys_folder, {"exp": str(int(time.time()) + 60)}))


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", "secevent+jwt", 5, ["JWT"]])
async def test_a_token_of_another_type_is_refused(verifier: TokenVerifier, keys_folder: Path, typ: object) -> None:
    with pytest.raises(TokenError):
        await verifier.verify(signed(keys_folder, {}, typ=typ))


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_an_access_token_of_rfc_9068_is_taken(verifier: TokenVerifier, keys_folder: Path, typ: str) -> None:
    assert (await verifier.verify(signed(keys_folder, {"typ": "Bearer"}, typ=typ))).subject == "a"


@pytest.mark.parametrize("header", [b"[" * 9000, b'{"alg":' + b"[" * 9000, b'{"kid": 5}', b"[]", b'"x"', b"\xff"])
async def test_a_head_that_no_parser_likes_is_refused(verifier: TokenVerifier, header: bytes) -> None:
    first = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
    with pytest.raises(TokenError):
        await verifier.verify(f"{first}.e30.AA")

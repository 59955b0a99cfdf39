"""The two ways in which RTMP servers ask for a login: Adobe's and Limelight's challenge in `connect` (authmod).

Both refuse the first `connect` with a description that names the way, the second one with the challenge, and take the
third one with the answer. The password itself never goes over the wire; MD5 is what the protocol asks for.
"""

import base64
import hashlib
import secrets
from urllib.parse import quote

from vonggac.net.url import Credentials


def answer(description: str, app: str, credentials: Credentials) -> str | None:
    """Build the query for the next `connect`, with a leading `?`; None when the description asks for nothing known."""
    mode = next((name for name in ("adobe", "llnw") if f"authmod={name}" in description), None)
    if mode is None:
        return None
    user = quote(credentials.username, safe="")
    if "?reason=needauth" in description:
        # Not percent-decoded: a "+" in Base64 is meant.
        pairs = (part.partition("=") for part in description.partition("?reason=needauth")[2].split("&"))
        asked = {name: value for name, _, value in pairs}
        return _adobe(asked, credentials, user) if mode == "adobe" else _llnw(asked, app, credentials, user)
    if "code=403 need auth" in description:
        return f"?authmod={mode}&user={user}"
    return None


def _adobe(asked: dict[str, str], credentials: Credentials, user: str) -> str:
    ours = secrets.token_hex(4)
    opaque = asked.get("opaque", "")
    first = _base64_md5(asked.get("salt", ""), credentials.username, credentials.password, swap=True)
    response = _base64_md5(first, opaque or asked.get("challenge", ""), ours)
    query = f"?authmod=adobe&user={user}&challenge={ours}&response={response}"
    return f"{query}&opaque={opaque}" if opaque else query


def _llnw(asked: dict[str, str], app: str, credentials: Credentials, user: str) -> str:
    nonce, ours, count = asked.get("nonce", ""), secrets.token_hex(4), "00000001"
    where = f"/{app}" if "/" in app else f"/{app}/_definst_"
    who = _hex_md5(f"{credentials.username}:live:{credentials.password}")
    response = _hex_md5(f"{who}:{nonce}:{count}:{ours}:auth:{_hex_md5(f'publish:{where}')}")
    return f"?authmod=llnw&user={user}&nonce={nonce}&cnonce={ours}&nc={count}&response={response}"


def _base64_md5(first: str, second: str, third: str, *, swap: bool = False) -> str:
    """`swap`: the salt stands between user and password."""
    text = second + first + third if swap else first + second + third
    return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()


def _hex_md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

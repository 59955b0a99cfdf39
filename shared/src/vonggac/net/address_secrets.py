"""What in an address is a secret, by the name that stands before it or by its form: one list for all.

Inventory refuses such an address, and redaction hides what follows such a name wherever a text leaves a process.
Whoever adds a spelling adds it here.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote

_LONG = (
    r"pass[ +._-]?(?:phrase|code)|pa?ss?[ +._-]?w(?:[o0]?r)?[dt]|p4ssw[o0]rd|pwd|secret|token|signature|credential"
    r"|m(?:[aâậ]t[ +_-]?kh[aâẩ]u|[aã][ +_-]?(?:b[iíaả]o?[ +_-]?m[aậ]t|x[aá]c[ +_-]?(?:th[uự]c|minh)))"
    r"|contrasen(?:y|h)?a|senha|m[o]t[ +_-]?de[ +_-]?passe|mima|пapoль|пароль|密码|口令"
    r"|(?:user|usr|login)[_.-]?pas|session[_.-]?id|(?:o|x-)auth"
    r"|(?:verif(?:y|ication)|safety|security|access|auth|secure|unlock|activation)[_.-]?code"
    r"|(?:api|app|stream|access|auth|private|shared|licen[cs]e|play|publish|push|master|security|ingest|device|channel"
    r"|(?:en|de)crypt(?:ion)?)[_.-]?key"
)
"""Anywhere in a name: `streamKey`, `X-Access-Token`, `rtsp_password1`, `loginpas`, `safety_code` (of a label)."""
_KEYS = r"(?:p|u|s|my|enc|dec|aes|crypt|hash|sign|login|user|serial|rtmp|rtsp|srtp?|hls|cam)?key"
_SHORT = (
    r"(?:adm|cam(?:era)?|[dnx]vr|rtsp|rtmp|stream|onvif|web|ftp|srt|view(?:er)?)?pass?w?"
    r"|pass?[_.-](?:rtsp|adm(?:in)?|user|cam(?:era)?|[dnx]vr|view(?:er)?)|"
    rf"(?:user|usr|u|login|admin|cam|rtsp|my)?p(?:w|sw)|psk|{_KEYS}|auth(?:info|basic|data|str)?|authorization"
    r"|bearer|clave|kennwort|creds?|sig|sign|hmac|md5|hash|digest|jwt|pin(?:code)?|t?otp|ticket|mat[_-]?ma|mk|tok|cookie|vcode"
)
"""As a word of a name, perhaps with a number: `pw`, `admin_pw`, `rtmpkey`, `pass1`, and not `keyframe` or `design`."""
_BEFORE = r"(?<![A-Za-z0-9])"
_BEGINS = r"(?=[acdeiklmopstuvxп密口])"
"""Of a long name: most places of a text are passed over by one comparison."""
SECRET_NAME = (
    rf"(?:{_BEFORE}(?:{_SHORT})[0-9]{{0,3}}\]?|{_BEGINS}(?:{_LONG})[A-Za-z0-9_.\]-]{{0,20}})(?:\[[^\]=\s]{{0,20}}\]){{0,3}}"
    r"\\?[\"']?[ +]{0,3}"
)
"""A regular expression for the end of a name before its `=`, to be used without regard to case."""
SECRET_NAME_IN_WORDS = rf"{_BEGINS}(?:{_LONG})"
"""The same where a colon follows: short names do so in ordinary text."""
_ACCOUNT = r"(?:user(?:name)?|usr|u|login(?:use)?|account|tk|tai[_-]?khoan)"
_USUAL_NAME = r"(?:admin(?:istrator)?|root|user(?:name)?|operator|guest|viewer|supervisor|service|default)"
_OF_A_PATH = (
    r"(?:pass?(?:w(?:or)?d|phrase)?|pwd?|psw|secret|(?:access[_-]?)?token|sig(?:nature)?|credentials?|mat[_-]?khau"
    r"|(?:stream|api)[_-]?key)"
)
BESIDE_A_NAME = (
    rf"{_BEFORE}{_ACCOUNT}=[^&;:/\s]{{1,64}}(?::|[&;\ue000]ps?=)",
    rf"(?<=[/?])(?:[^/?&=:;\s]{{1,64}}=)?{_USUAL_NAME}:",
    r"/[0-9]/[^/?&=:;\s]{1,64}:(?=[^/\s]{1,64}/(?:main|sub|mobile|audio))",
    rf"/{_OF_A_PATH}[/:]",
)
"""What stands before a password without a name: `login=admin:x`, `u=admin&p=x`, `/admin:x/main`, `/passwd/x/main`."""
_VALUE = r"(?P<value>[^&;,/?#]*)"
_PARAMETERS = (
    re.compile(rf"(?P<name>{SECRET_NAME})[=:]{_VALUE}", re.IGNORECASE),
    *(re.compile(rf"(?P<name>{before}){_VALUE}", re.IGNORECASE) for before in BESIDE_A_NAME),
)
_INNER_LOGIN = re.compile(
    r"(?P<name>[a-z][a-z0-9+.-]{1,20}):[/\ue000]{2}[^/:@\ue000]{0,64}:(?P<value>[^/@]+)@", re.IGNORECASE
)
"""Of an address within the address: `?src=rtsp%3A%2F%2Fadmin%3Ax%40h`."""
_CODED = re.compile(
    r"(?<=[=/ +])(?:basic[ +]+)?(?P<value>[A-Za-z0-9+_-]{8,200})={0,2}(?=[&;,/?\ue000]|$)", re.IGNORECASE
)
_PAIR = re.compile(rb"[!-9;-~]+:[!-~]+")
_NAME_END = " +=:/\"'"
_AGAIN = re.compile("%(?:25)+(?=[0-9A-Fa-f]{2})")
"""An encoding that was encoded again, however often: undone at once, not turn by turn."""
_ENCODED_SEPARATOR = re.compile("%(?:26|3b|2c|2f|3f|23)", re.IGNORECASE)
_SEPARATOR = "\ue000"
"""Stands for a separator that was percent-encoded: it ends no value."""
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")
_PARTS = re.compile(r"[/?&=;]")
_PLACEHOLDER = re.compile(r"\{[a-z_]*\}")
_LOOKALIKES = dict(
    zip(map(ord, "аеорсухіјѕԁкмтđαορκıАЕОРСУХІЈЅԀКМТĐΑΟΡΚ"), "aeopcyxijsdkmtdaopkiAEOPCYXIJSDKMTDAOPK", strict=True)
)
_UNPRONOUNCEABLE = re.compile(r"(?=.{12})(?:.*[b-df-hj-np-tv-xz]{6}|[0-9]{16})", re.IGNORECASE)
"""Hardly a word of Vietnamese or English has six consonants in a row, as random letters soon have; no place a number so
long."""
_INVISIBLE = frozenset({"Mn", "Cf", "Cc"})
_LEAST_KEY = 12
_LEAST_CHANGES = 3
_NAMED = re.compile(r"(?:^|[/?&;,])(?P<name>[^/?&;,=:]{1,64})=(?P<value>[^/?&;,]*)")
_WORDS = re.compile(r"[A-Za-z0-9_-]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LEAST_TOKEN = 16
_LEAST_TOKEN_CHANGES = 5
_TOKEN_CHANGES = 0.3
"""Of the characters: digits and letters, or letters of both kinds, alternate more often there than in names."""


def secret_parameters(target: str) -> Iterator[tuple[str, str]]:
    """Name and value of what looks like a secret in a path and query, however often percent-encoded."""
    text = _ENCODED_SEPARATOR.sub(_SEPARATOR, _AGAIN.sub("%", target))
    while (decoded := _AGAIN.sub("%", unquote(text, errors="replace"))) != text:
        text = _ENCODED_SEPARATOR.sub(_SEPARATOR, decoded)
    text = folded("/" + text.removeprefix("/"))
    for pattern in (*_PARAMETERS, _INNER_LOGIN):
        for found in pattern.finditer(text):
            yield found["name"].lstrip("/?").rstrip(_NAME_END), found["value"]
    for found in _CODED.finditer(text):
        if _is_coded_login(found["value"]):
            yield "user:password in base64", found["value"]


def _is_coded_login(word: str) -> bool:
    """Whether `word` is a name and a password as Basic sends them: hardly another word decodes to such a pair."""
    try:
        decoded = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_" if set(word) & {"-", "_"} else None)
    except (binascii.Error, ValueError):
        return False
    return _PAIR.fullmatch(decoded) is not None


def folded(text: str) -> str:
    """`text` with letters of other alphabets and widths as the Latin ones that they look like, without invisible ones.

    A Vietnamese letter loses its marks.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        sign
        for sign in unicodedata.normalize("NFKD", text).translate(_LOOKALIKES)
        if unicodedata.category(sign) not in _INVISIBLE
    )


def percent_decoded(text: str) -> str:
    """`text` with percent-encoding undone until nothing is left of it: some servers undo it more than once."""
    while (decoded := unquote(_AGAIN.sub("%", text), errors="replace")) != text:
        text = decoded
    return text


def key_like_segments(target: str) -> list[str]:
    """Parts of a path and query that look like a stream key: long, of letters and digits in no order that words have.

    Placeholders in braces are none.
    """
    return [part for part in _PARTS.split(percent_decoded(target)) if _is_key_like(_PLACEHOLDER.sub("", part))]


def random_parameters(target: str) -> Iterator[tuple[str, str]]:
    """Name and value of what looks like a token by its value alone, as `?sid=…`: whatever its name is.

    Names of profiles, serial numbers, times and UUIDs, which addresses of cameras have, are none.
    """
    for found in _NAMED.finditer(percent_decoded(target)):
        if any(_is_random(word) for word in _WORDS.findall(_PLACEHOLDER.sub("", found["value"]))):
            yield found["name"], found["value"]


def _is_random(word: str) -> bool:
    if _UUID.fullmatch(word):
        return False
    if _UNPRONOUNCEABLE.match(word):
        return not word.isdigit()
    signs, changes = _alternations(word)
    return signs >= _LEAST_TOKEN and changes >= max(_LEAST_TOKEN_CHANGES, signs * _TOKEN_CHANGES)


def _is_key_like(segment: str) -> bool:
    if any(_UNPRONOUNCEABLE.match(part) for part in _SEPARATORS.split(segment)):
        return True
    signs, changes = _alternations(segment)
    return signs >= _LEAST_KEY and changes >= _LEAST_CHANGES


def _alternations(text: str) -> tuple[int, int]:
    """How many letters and digits there are, and how often they change between separators."""
    parts = _SEPARATORS.split(text)
    return sum(map(len, parts)), sum(_changes(one, other) for part in parts for one, other in pairwise(part))


def _changes(one: str, other: str) -> bool:
    """Whether something else begins: digits, letters, or a capital inside a word."""
    return one.isdigit() != other.isdigit() or (one.islower() and other.isupper())

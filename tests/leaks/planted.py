"""The secrets that are planted: one of its own for every spelling and every input it is tried at."""

import base64
import re
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

SPELLINGS = (
    "?access_token={}", "?api_key={}", "?apiKey={}", "?stream_key={}", "?streamKey={}", "?sig={}", "?signature={}",
    "?pw={}", "?psw={}", "?pwd={}", "?passwd={}", "?password={}", "?PASSWORD={}", "?rtsp_password={}", "?token={}",
    "?p%61ssword={}", "?%70%61%73%73%77%6f%72%64={}", "?p%2561ssword={}", "/password:{}", "?token:{}", "?secret={}",
    "/user=admin_password={}_channel=1_stream=0.sdp", "/user=admin&password={}&channel=1", "/live;auth={}",
    "?auth[key]={}", "?credential={}", "?jwt={}", "?hmac={}", "?passphrase={}", "?sign={}", "?accesskey={}",
    "?private-key={}", "?loginuse=admin&loginpas={}", "?pass1={}", "?password[]={}", "?password%5B0%5D={}",
    "?password%20={}", "?password%00={}", "?p%E2%80%8Bassword={}", "?%7B%22password%22:%22{}%22%7D",
    "?p%D0%B0ssword={}", "?%EF%BD%90assword={}", "?m%E1%BA%ADt%20kh%E1%BA%A9u={}", "?password%EF%BC%9D{}",
    "?password=%26{}", "?u=admin&p={}", "?login=admin:{}", "/admin:{}/main", "/passwd/{}/x",
    "?p%25252525252561ssword={}", "?verification_code={}", "?safetyCode={}", "?rtmpkey={}", "?mk={}", "?ma_bi_mat={}",
    "/secret/{}/x", "/user:admin/pass:{}/x", "/0/nguyenvana:{}/main", "?src=rtsp%3A%2F%2Fadmin%3A{}%40cam.example%2Fx",
    "?camerapass={}", "?pass_rtsp={}", "?ingestkey={}", "?deviceKey={}", "?m%C3%A3_b%E1%BA%A3o_m%E1%BA%ADt={}",
    "?%E5%8F%A3%E4%BB%A4={}",
)  # fmt: skip
"""How an address may hold a secret in clear: each is refused."""


@dataclass(frozen=True)
class Planted:
    """A secret, and where it was put."""

    where: str
    secret: str

    @property
    def forms(self) -> frozenset[bytes]:
        """How it may stand somewhere: as it is, encoded, in capitals, and as a login sends it."""
        plain = {self.secret, quote(self.secret, safe=""), quote(quote(self.secret, safe=""), safe="")}
        plain |= {form.upper() for form in plain} | {form.lower() for form in plain}
        pairs = {self.secret, f"admin:{self.secret}"}
        # Without the last group, which depends on what follows.
        coded = {base64.b64encode(pair.encode()).rstrip(b"=")[:-1] for pair in pairs}
        return frozenset(form.encode() for form in plain) | coded

    @property
    def marks(self) -> tuple[bytes, bytes]:
        """One of them stands in each of the forms: its beginning without case, or the beginning in base64."""
        begins = self.secret[:_MARK_SIGNS].encode()
        return begins.lower(), base64.b64encode(begins)


_MARK_SIGNS = len("Lk012345Q")
_MARKS = re.compile(rb"[Ll][Kk][0-9A-Fa-f]{6}[Qq]"), re.compile(rb"(?=(TG[s-v][0-9A-Za-z+/]{9}))TG")
"""What any mark looks like: hundreds of megabytes are searched for two patterns, not for thousands of forms."""


class Garden:
    """Makes secrets, and knows them all. The same ones in every run."""

    def __init__(self) -> None:
        self.planted: list[Planted] = []
        self._marked: dict[bytes, list[Planted]] = defaultdict(list)

    def plant(self, where: str, *, odd: bool = False) -> str:
        """A new secret for a place; `odd`: with signs that addresses encode."""
        digest = sha256(f"{len(self.planted)} {where}".encode()).hexdigest()
        secret = f"Lk{digest[:6]}Q{digest[6:12]}" + ("@/ :é" if odd else "")
        one = Planted(where, secret)
        self.planted.append(one)
        for mark in one.marks:
            self._marked[mark].append(one)
        return secret

    def found_in(self, content: bytes) -> list[str]:
        """Where the secrets were put that stand in `content`."""
        plain, coded = _MARKS
        marks = {found.lower() for found in plain.findall(content)} | set(coded.findall(content))
        marked = [one for mark in sorted(marks) for one in self._marked.get(mark, ())]
        return [one.where for one in marked if any(form in content for form in one.forms)]

"""RTMP addresses: which part is the application, which the stream; credentials apart from what is shown."""

import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from vonggac.net.errors import MalformedError
from vonggac.net.url import Credentials

_DEFAULT_PORTS = {"rtmp": 1935, "rtmps": 443}
_MAX_LENGTH = 2048
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True, repr=False)
class RtmpUrl:
    """`rtmp[s]://[user:password@]host[:port]/app[/instance]/stream[?query]`; the query belongs to the stream.

    The stream is what follows the last `/` of the path, the application what comes before it, as broadcasters write
    addresses. `repr` shows neither stream nor login: stream keys are secrets.
    """

    secure: bool
    host: str
    port: int
    app: str
    stream: str
    credentials: Credentials | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an address. Raises MalformedError naming what is wrong (never quoting it: it may hold a password)."""
        text = text.strip()
        if len(text) > _MAX_LENGTH or _CONTROL.search(text):
            raise MalformedError(f"the RTMP address is longer than {_MAX_LENGTH} characters or holds a space")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise MalformedError("the RTMP address cannot be read: its host or port is malformed") from None
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise MalformedError("the RTMP address does not look like rtmp://host/application/stream")
        app, slash, stream = parts.path.strip("/").rpartition("/")
        if not slash or not stream:
            raise MalformedError("the RTMP address names no stream: write rtmp://host/application/stream")
        credentials = None
        if parts.username is not None:
            credentials = Credentials(unquote(parts.username), unquote(parts.password or ""))
        query = f"?{parts.query}" if parts.query else ""
        port = port or _DEFAULT_PORTS[parts.scheme]
        return cls(parts.scheme == "rtmps", parts.hostname, port, unquote(app), unquote(stream) + query, credentials)

    @property
    def tc_url(self) -> str:
        """The application's address, as `connect` names it: without login and stream."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "rtmps" if self.secure else "rtmp"
        port = "" if self.port == _DEFAULT_PORTS[scheme] else f":{self.port}"
        return f"{scheme}://{host}{port}/{self.app}"

    def __repr__(self) -> str:
        return f"RtmpUrl({self.tc_url!r})"

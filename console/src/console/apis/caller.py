"""One call on a person's behalf; what comes back is a value: the document, a refusal, or that the service is away or
still loading."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic_core import from_json

from vonggac.telemetry import get_logger

log = get_logger(__name__)

PLAIN = {"Accept-Encoding": "identity"}
"""Of a document between processes of one site: to pack and unpack half a megabyte takes more CPU than to send it."""

type Query = Mapping[str, str | int | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """The document."""

    body: dict[str, Any]
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class FieldMistake:
    """What is wrong with one field of what was sent, and what would be right."""

    field: str
    message: str
    message_vi: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The service answers, and not with what was asked for: a right is missing, or there is no such thing."""

    service: str
    status: int
    detail: str
    detail_vi: str
    code: str = ""
    mistakes: tuple[FieldMistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Away:
    """The service does not answer in time, or says itself that it cannot."""

    service: str
    since_s: float
    """Unix time of the first call that failed."""


@dataclass(frozen=True, slots=True)
class Loading:
    """The service has just started and is about to answer: it is reading what it answers from."""

    service: str


type Answer = Found | Refused | Away | Loading


class Caller:
    """Calls one service. It stores since when the service has been away, and nothing else."""

    def __init__(
        self,
        service: str,
        base_url: str,
        client: httpx.AsyncClient,
        *,
        within_s: float,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        self.service = service
        self._base_url, self._client, self._within_s, self._unix_s = base_url, client, within_s, unix_s
        self.away_since_s: float | None = None

    async def get(self, token: str, path: str, query: Query | None = None) -> Answer:
        """One document of the service, as this person may see it."""
        return await self._call("GET", path, token, query, within_s=self._within_s)

    async def send(
        self,
        token: str,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send an act of this person: a JSON `body`, or a file's `content`. Nothing is tried twice."""
        return await self._call(
            method, path, token, query, body=body, content=content, headers=headers, within_s=SEND_WITHIN_S
        )

    async def send_for_file(
        self, token: str, path: str, *, query: Query, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Response | Answer:
        """Send a file. What comes back is a file too, or a success as it is; else a refusal."""
        given = {"Authorization": f"Bearer {token}", **headers}
        try:
            answer = await self._client.post(
                self._base_url + path, params=dict(query), headers=given, content=content, timeout=SEND_WITHIN_S
            )
            is_json = "json" in answer.headers.get("content-type", "")
            if answer.status_code >= 500:
                return self._note_away(f"status {answer.status_code}")
            if answer.is_success or not is_json:
                return answer
            return _refusal(self.service, answer.status_code, answer.json())
        except (httpx.HTTPError, ValueError) as error:
            return self._note_away(type(error).__name__)

    async def _call(
        self,
        method: str,
        path: str,
        token: str,
        query: Query | None,
        *,
        within_s: float,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        try:
            answer = await self._client.request(
                method,
                self._base_url + path,
                params=dict(query or {}),
                headers={"Authorization": f"Bearer {token}", **PLAIN, **(headers or {})},
                json=body,
                content=content,
                timeout=within_s,
            )
            if answer.status_code >= 500 and not _is_loading(answer):
                return self._note_away(f"status {answer.status_code}")
            found = from_json(answer.content) if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            return self._note_away(type(error).__name__)
        self.away_since_s = None
        if answer.status_code >= 500:
            return Loading(self.service)
        if not answer.is_success or not isinstance(found, dict):
            return _refusal(self.service, answer.status_code, found)
        return Found(found, answer.headers.get("etag"))

    def download(
        self, token: str, path: str, query: Query | None = None
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Open a file, as a context manager of httpx."""
        headers = {"Authorization": f"Bearer {token}"}
        timeout = httpx.Timeout(self._within_s, read=SEND_WITHIN_S)
        return self._client.stream(
            "GET", self._base_url + path, params=dict(query or {}), headers=headers, timeout=timeout
        )

    async def read_readiness(self) -> dict[str, Any] | None:
        """Read the readiness that the service reports; None where it does not answer."""
        try:
            answer = await self._client.get(self._base_url + "/readyz", timeout=self._within_s)
            body = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return body if isinstance(body, dict) else None

    def stream(
        self, token: str, path: str, query: Query | None = None, last: str | None = None
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Open a stream of server-sent events, as a context manager of httpx; without a deadline between events."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = last
        timeout = httpx.Timeout(self._within_s, read=SILENCE_S)
        return self._client.stream(
            "GET", self._base_url + path, params=dict(query or {}), headers=headers, timeout=timeout
        )

    def open_stream(
        self, token: str, path: str, body: object, *, silence_s: float | None = None
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Open a stream for an act of this person, as a context manager of httpx; it breaks after `silence_s`."""
        headers = {"Authorization": f"Bearer {token}"}
        timeout = httpx.Timeout(self._within_s, read=silence_s)
        return self._client.stream("POST", self._base_url + path, json=body, headers=headers, timeout=timeout)

    def _note_away(self, reason: str) -> Away:
        if self.away_since_s is None:
            self.away_since_s = self._unix_s()
            log.warning("service_away", of=self.service, reason=reason)
        return Away(self.service, self.away_since_s)


SILENCE_S = 10.0
"""A stream of which nothing came for so long is broken: it says that it is alive every three seconds."""


SEND_WITHIN_S = 30.0
"""For an act or a file: freezing a report of a year takes seconds."""


def _is_loading(answer: httpx.Response) -> bool:
    """Whether it says that its account is not whole yet. Raises ValueError where the body is no JSON."""
    body = answer.json() if answer.status_code == 503 else None
    return isinstance(body, dict) and body.get("code") == "present_loading"


def _refusal(service: str, status: int, body: object) -> Refused:
    given = body if isinstance(body, dict) else {}
    detail = str(given.get("detail") or given.get("title") or status)
    mistakes = tuple(
        FieldMistake(str(each["field"]), str(each["message"]), str(each.get("message_vi") or each["message"]))
        for each in given.get("errors") or ()
        if isinstance(each, dict) and "field" in each and "message" in each
    )
    detail_vi = str(given.get("detail_vi") or given.get("title_vi") or detail)
    return Refused(service, status, detail, detail_vi, str(given.get("code") or ""), mistakes)

"""Inventory's HTTP API as this package uses it: add things, change them, import CSV."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT_S = 60.0
PAGE = 1000

type Json = dict[str, Any]


class RefusedError(Exception):
    """A service refused or could not be reached. The message is that of its problem+json; `errors` are its rows."""

    def __init__(self, message: str, errors: list[Json] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or []


class InventoryApi:
    """`async with InventoryApi(address, token) as inventory:`. Every method raises RefusedError."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        approver: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`approver`: token of a second person, who approves; `transport`: to a service in this process."""
        self._approver = approver
        self._client = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def all(self, noun: str) -> list[Json]:
        """Every thing of a noun, page by page."""
        items: list[Json] = []
        cursor: str | None = None
        while True:
            parameters = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
            page = await self._call("GET", f"/v1/{noun}", params=parameters)
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    async def ensure(self, noun: str, wanted: list[Json]) -> dict[str, Json]:
        """Add what is missing and change what differs, by `code`; returns the things by code."""
        present = {str(thing["code"]): thing for thing in await self.all(noun)}
        for body in wanted:
            code = str(body["code"])
            thing = present.get(code)
            if thing is None:
                present[code] = await self._call("POST", f"/v1/{noun}", json=body)
            elif any(thing.get(name) != value for name, value in body.items()):
                present[code] = await self.change(noun, thing["id"], body, reason="ensured")
        return {str(body["code"]): present[str(body["code"])] for body in wanted}

    async def one(self, noun: str, thing_id: str) -> Json:
        """One thing as it is now."""
        return await self._call("GET", f"/v1/{noun}/{thing_id}")

    async def add(self, noun: str, body: Json) -> Json:
        """Add one thing."""
        return await self._call("POST", f"/v1/{noun}", json=dict(body))

    async def add_all(self, noun: str, bodies: list[Json]) -> list[Json]:
        """Add several things, all or none."""
        if not bodies:
            return []
        added: list[Json] = (await self._call("POST", f"/v1/{noun}/bulk", json=bodies))["items"]
        return added

    async def change(self, noun: str, thing_id: str, patch: Mapping[str, Any], *, reason: str | None = None) -> Json:
        """Change the fields given, of the thing as it is now. Some changes need a reason."""
        headers = {"If-Match": await self._etag(noun, thing_id)}
        parameters = {"reason": reason} if reason is not None else {}
        return await self._call("PATCH", f"/v1/{noun}/{thing_id}", json=dict(patch), headers=headers, params=parameters)

    async def remove(self, noun: str, thing_id: str, *, reason: str) -> None:
        """Remove one thing as it is now."""
        headers = {"If-Match": await self._etag(noun, thing_id)}
        await self._call("DELETE", f"/v1/{noun}/{thing_id}", headers=headers, params={"reason": reason})

    async def do(self, noun: str, thing_id: str, verb: str, body: Json, *, by_approver: bool = False) -> Json:
        """Apply a verb such as `transitions` to a thing as it is now; `by_approver`: who wrote does not approve."""
        headers = {"If-Match": await self._etag(noun, thing_id)}
        if by_approver and self._approver is not None:
            headers["Authorization"] = f"Bearer {self._approver}"
        return await self._call("POST", f"/v1/{noun}/{thing_id}/{verb}", json=dict(body), headers=headers)

    async def write_secret(
        self, noun: str, thing_id: str, username: str, password: str, *, path: str = "secret"
    ) -> None:
        """Write credentials; they cannot be read back. `path`: `secret`, or `read-back-secret` of a destination."""
        headers = {"If-Match": await self._etag(noun, thing_id)}
        body = {"username": username, "password": password}
        await self._call("PUT", f"/v1/{noun}/{thing_id}/{path}", json=body, headers=headers)

    async def remove_secret(self, noun: str, thing_id: str, path: str = "secret") -> None:
        """Remove the credentials of one thing."""
        headers = {"If-Match": await self._etag(noun, thing_id)}
        await self._call("DELETE", f"/v1/{noun}/{thing_id}/{path}", headers=headers)

    async def rotate_password(self, destination_id: str, *, overlap_hours: int) -> Json:
        """Give a centre that pulls a new password: the answer alone has it."""
        return await self._call(
            "POST", f"/v1/destinations/{destination_id}/rotate", json={"overlap_hours": overlap_hours}
        )

    async def _etag(self, noun: str, thing_id: str) -> str:
        return str((await self._call("GET", f"/v1/{noun}/{thing_id}"))["etag"])

    async def import_csv(self, noun: str, text: str, *, reason: str | None = None) -> Json:
        """Import all rows or none; returns the counts. A refusal's `errors` name row and column."""
        parameters = {"reason": reason} if reason is not None else {}
        headers = {"Content-Type": "text/csv; charset=utf-8"}
        return await self._call(
            "POST", f"/v1/imports/{noun}", content=text.encode(), headers=headers, params=parameters
        )

    async def _call(self, method: str, path: str, **options: Any) -> Json:
        return await call(self._client, method, path, **options)


async def call(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> Json:
    """Send a request; return the JSON answer, {} without one. Raises RefusedError with the problem document's text."""
    try:
        response = await client.request(method, path, **options)
    except httpx.TransportError as error:
        msg = f"{method} {client.base_url}{path.lstrip('/')}: no answer ({type(error).__name__})"
        raise RefusedError(msg) from None
    if response.is_success:
        return dict(response.json()) if response.content else {}
    raise _refusal(method, path, response)


def _refusal(method: str, path: str, response: httpx.Response) -> RefusedError:
    try:
        problem = dict(response.json())
    except ValueError:
        return RefusedError(f"{method} {path}: status {response.status_code}")
    errors: list[Json] = problem.get("errors") or []
    lines = [f"{method} {path}: {response.status_code} {problem.get('detail') or problem.get('title')}"]
    lines += [f"  {_where(error)}{error.get('message')}" for error in errors]
    return RefusedError("\n".join(lines), errors)


def _where(error: Json) -> str:
    row = f"row {error['row']}, " if error.get("row") else ""
    return f"{row}{error.get('field')}: "

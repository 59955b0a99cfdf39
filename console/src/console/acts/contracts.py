"""What the services take: their OpenAPI documents, read at run time, so that a form is never behind its service."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.apis.caller import Away, Caller, Found, Loading, Refused

AGAIN_S = 600.0
"""A service may have been replaced by a newer one meanwhile."""
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a service does."""

    service: str
    name: str
    """Its `operationId`."""
    method: str
    path: str
    body: Mapping[str, Any] | None
    """Schema of its JSON body."""
    parameters: Mapping[str, Mapping[str, Any]]
    """Of its query, each with its schema."""
    headers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Contract:
    """All operations of one service, and the schemas of their bodies."""

    operations: Mapping[str, Operation]
    schemas: Mapping[str, Any]


@dataclass(slots=True)
class _Known:
    contract: Contract | None = None
    read_at: float = 0.0
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class Contracts:
    """The contracts of the services, each read when it is first needed and now and then again."""

    def __init__(self, callers: Mapping[str, Caller], now: Callable[[], float] = time.monotonic) -> None:
        self._callers, self._now = callers, now
        self._known = {service: _Known() for service in callers}

    async def find(self, service: str, token: str) -> Contract | Away | Refused | Loading:
        """Find the contract of a service; what was read before stays while the service is away."""
        known = self._known[service]
        async with known.reading:
            if known.contract is not None and self._now() - known.read_at < AGAIN_S:
                return known.contract
            answer = await self._callers[service].get(token, "/openapi.json")
            if isinstance(answer, Found):
                known.contract = await asyncio.to_thread(read_contract, service, answer.body)
            elif known.contract is None:
                return answer
            known.read_at = self._now()
            return known.contract


def read_contract(service: str, document: Mapping[str, Any]) -> Contract:
    """Read of a document what forms need: a tenth of it."""
    operations: dict[str, Operation] = {}
    shared = document["components"].get("parameters", {})
    for path, methods in document["paths"].items():
        for method, given in methods.items():
            if method not in {"post", "put", "patch", "delete", "get"} or "operationId" not in given:
                continue
            parameters = [
                shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
                for each in given.get("parameters", ())
            ]
            operations[given["operationId"]] = Operation(
                service,
                given["operationId"],
                method.upper(),
                path,
                given.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema"),
                {
                    each["name"]: each["schema"] | _copy_description(each)
                    for each in parameters
                    if each["in"] == "query"
                },
                frozenset(each["name"] for each in parameters if each["in"] == "header"),
            )
    return Contract(operations, document["components"]["schemas"])


def _copy_description(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": parameter["description"]} if "description" in parameter else {}

"""Codes and ids of the records that a form refers to: what a person reads and types, and what a service takes."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from console.acts.nouns import name_record
from console.apis.caller import Caller, Found

OFFERED = 200
"""Records in a list to choose of; any other is found by its code."""
AT_ONCE = 50


class Lookup:
    """Questions to the register, with a person's token."""

    def __init__(self, inventory: Caller, token: str) -> None:
        self._inventory, self._token = inventory, token

    async def list_options(self, nouns: Iterable[str]) -> dict[str, list[str]]:
        """«CODE — name» of the first records of each noun; none where the register is away."""
        wanted = sorted(set(nouns))
        answers = await asyncio.gather(*(self._list(noun, {"limit": OFFERED}) for noun in wanted))
        return {noun: [name_record(each) for each in items] for noun, items in zip(wanted, answers, strict=True)}

    async def find_ids(self, references: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Find the id of each noun and code; an id is its own."""
        wanted = sorted(set(references))[:AT_ONCE]
        found = await asyncio.gather(*(self._find_id(noun, code) for noun, code in wanted))
        return {key: value for key, value in zip(wanted, found, strict=True) if value is not None}

    async def name_ids(self, references: Iterable[tuple[str, str]]) -> dict[str, str]:
        """«CODE — name» of each id that the person sees."""
        return {each: name_record(record) for each, record in (await self.read_records(references)).items()}

    async def read_records(self, references: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
        """Read the record of each noun and id that the person sees, by its id."""
        wanted = sorted(set(references))[:AT_ONCE]
        answers = await asyncio.gather(
            *(self._inventory.get(self._token, f"/v1/{noun}/{each}") for noun, each in wanted)
        )
        return {
            each: answer.body for (_, each), answer in zip(wanted, answers, strict=True) if isinstance(answer, Found)
        }

    async def _find_id(self, noun: str, code: str) -> str | None:
        if is_id(code):
            return code
        items = await self._list(noun, {"code": code, "limit": 1})
        return str(items[0]["id"]) if items else None

    async def _list(self, noun: str, query: dict[str, str | int]) -> list[dict[str, Any]]:
        answer = await self._inventory.get(self._token, f"/v1/{noun}", query)
        return list(answer.body["items"]) if isinstance(answer, Found) else []


def is_id(text: str) -> bool:
    """Whether a text is an id of a record."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False

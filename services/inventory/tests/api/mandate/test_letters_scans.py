"""The scan of a directive is a file of the register: whole, of a kind that is known, kept as it came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter

SCAN = b"%PDF-1.7\n" + b"x" * 3000 + b"\n%%EOF\n"


async def test_letters_have_their_scan_beside_the_link(letter: Letter) -> None:
    path = f"/v1/directives/{letter.directives['1742']['id']}/scan"
    assert (await letter.client.get(path)).status_code == 404
    put = await letter.client.put(path, content=SCAN, headers={"Content-Type": "application/pdf"})
    assert put.status_code == 200, put.text
    shown = put.json()
    assert (shown["sha256"], shown["size_bytes"]) == (hashlib.sha256(SCAN).hexdigest(), len(SCAN))
    assert shown["media_type"] == "application/pdf"
    read = await letter.client.get(path)
    assert (read.content, read.headers["x-content-type-options"]) == (SCAN, "nosniff")
    assert read.headers["content-disposition"].startswith("attachment;")
    assert (await letter.client.put(path, content=SCAN)).status_code == 200, "the same once more"
    other = await letter.client.put(path, content=SCAN.replace(b"x", b"y"))
    assert (other.status_code, other.json()["code"]) == (409, "scan_kept")


@pytest.mark.parametrize("content", [b"MZ a program", SCAN[:-10], b"<svg onload=alert(1)>"])
async def test_letters_take_no_scan_that_is_no_whole_picture_or_pdf(letter: Letter, content: bytes) -> None:
    path = f"/v1/directives/{letter.directives['1742']['id']}/scan"
    refused = await letter.client.put(path, content=content)
    assert refused.status_code == 422, refused.text


async def test_letters_take_the_scan_that_their_digest_names(letter: Letter) -> None:
    one = f"/v1/directives/{letter.directives['1407']['id']}"
    named = {"file_name": "1407.pdf", "file_sha256": hashlib.sha256(SCAN).hexdigest()}
    assert (await letter.province.change(one, json=named)).status_code == 200
    refused = await letter.client.put(f"{one}/scan", content=SCAN.replace(b"x", b"y"))
    assert (refused.status_code, named["file_sha256"] in refused.text) == (422, True)
    assert (await letter.client.put(f"{one}/scan", content=SCAN)).status_code == 200


async def test_letters_get_their_scan_from_who_decides_directives(
    letter: Letter, token_for: Callable[..., str]
) -> None:
    path = f"/v1/directives/{letter.directives['1742']['id']}/scan"
    operator, reader = ({"Authorization": f"Bearer {token_for(role)}"} for role in (Role.OPERATOR, Role.READER))
    assert (await letter.client.put(path, content=SCAN, headers=operator)).status_code == 403
    assert (await letter.client.put(path, content=SCAN)).status_code == 200
    assert (await letter.client.get(path, headers=reader)).content == SCAN

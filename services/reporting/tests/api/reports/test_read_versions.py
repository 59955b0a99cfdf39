"""Whoever approves a report, or replaces it, has read one version of it and answers for no other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from services.reporting.tests.stage.freezing import DAY, approve, frozen, once_more

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

pytestmark = pytest.mark.usefixtures("feeding")


@pytest.mark.parametrize("deed", ["approve", "versions"])
async def test_without_the_version_that_was_read_nothing_is_done(client: Client, fed: Province, deed: str) -> None:
    report = await frozen(client)
    body = {"reason": "số liệu đến muộn"} if deed == "versions" else None
    refused = await client.post(f"/v1/reports/{report['id']}/{deed}", json=body)
    assert refused.status_code == 422, refused.text
    assert [one["field"] for one in refused.json()["errors"]] == ["version"]
    (listed,) = (await client.get("/v1/reports")).json()["items"]
    assert listed["approved_by"] is None


async def test_a_version_that_came_meanwhile_is_not_approved_with_the_one_that_was_read(
    client: Client, fed: Province, ingest: Ingest, second: dict[str, str]
) -> None:
    first = await frozen(client)
    camera = fed.facts  # type: ignore[attr-defined]
    late = fed.probes(camera, DAY + timedelta(hours=21), DAY + timedelta(hours=22), every_s=300)
    await fed.feed(ingest, *late)
    further = await once_more(client, first["id"], "số liệu đến muộn")
    assert (further.status_code, further.json()["version"]) == (201, 2)
    approved = (await approve(client, first["id"], headers=second)).json()
    assert (approved["version"], approved["sha256"]) == (1, first["sha256"])
    newest, oldest = (await client.get("/v1/reports")).json()["items"]
    assert newest["approved_by"] is None
    assert oldest["approved_by"] is not None


async def test_a_version_replaces_the_newest_one_that_was_read(client: Client, fed: Province, ingest: Ingest) -> None:
    first = await frozen(client)
    camera = fed.facts  # type: ignore[attr-defined]
    for hours in (21, 22):
        begin = DAY + timedelta(hours=hours)
        await fed.feed(ingest, *fed.probes(camera, begin, begin + timedelta(minutes=30), every_s=300))
        answer = await once_more(client, first["id"], "số liệu đến muộn")
        if hours == 22:
            assert (answer.status_code, answer.json()["code"]) == (409, "superseded")
    unknown = await once_more(client, first["id"], "số liệu đến muộn", version=3)
    assert unknown.status_code == 404
    third = await once_more(client, first["id"], "số liệu đến muộn", version=2)
    assert (third.status_code, third.json()["versions"]) == (201, [1, 2, 3])


async def test_a_late_probe_that_changes_only_a_cause_flags_the_report_and_is_shown_before_and_after(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    """No part of the day gained or lost anything, so that `late_evidence` of days does not know it."""
    camera, began = fed.facts, DAY + timedelta(hours=20)  # type: ignore[attr-defined]
    until = began + timedelta(minutes=30)
    await fed.feed(ingest, *fed.probes(camera, began, until, "down", cause="timeout", every_s=300))
    report = await frozen(client)
    between = began + timedelta(minutes=12)
    await fed.feed(ingest, fed.probe(camera, between, "down", cause="auth_failed", every_s=300))
    address = f"/v1/reports/{report['id']}"
    assert (await client.get(address)).json()["late_evidence"]["what"] == ["probe"]
    changed = (await client.get(f"{address}/difference")).json()["changes"]
    assert {(one["table"], one["column"], one["after"]) for one in changed} == {
        ("outages", "causes", "timeout auth_failed")
    }

"""Who reads one noun makes a client of its group alone: small, and as typed as that of the whole document."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.clients.generated import PythonClient, generate_python

from vonggac.auth import Role

pytestmark = [pytest.mark.server, pytest.mark.slow]

MOST_LINES = 6000
"""That of the whole document has twenty times as many."""


def test_a_client_of_one_noun_is_small_and_asks_as_that_of_the_whole(
    inventory: str, token_for: Callable[[Role], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = httpx.get(f"{inventory}/openapi/agencies.json", trust_env=False)
    assert answer.status_code == 200, answer.text
    path = tmp_path / "agencies.json"
    path.write_text(json.dumps(answer.json()), encoding="utf-8")
    package = generate_python("agencies", tmp_path, path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    lines = sum(len(file.read_text("utf-8").splitlines()) for file in (tmp_path / package).rglob("*.py"))
    assert lines < MOST_LINES
    client = PythonClient(package, inventory, token_for(Role.PROVINCE_LEAD))
    try:
        role = client.model("agency_role", "AgencyRole")("managing")
        body = client.model("agency_fields", "AgencyFields")(code="SYT", name="Sở Y tế", role=role)
        made = client.call("agencies", "add_agency", body=body)
        assert client.call("agencies", "get_agency", made.id).name == "Sở Y tế"
        refused = client.call("agencies", "list_agencies", limit=0)
        assert (refused.status, refused.errors[0].field) == (422, "limit")
    finally:
        client.close()

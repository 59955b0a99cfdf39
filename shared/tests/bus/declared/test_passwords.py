"""Passwords of NATS: whatever is in them, and who may read them."""

import json
from pathlib import Path

import pytest

from vonggac.bus.connection import connect_once
from vonggac.bus.declared.accounts import passwords
from vonggac.embedded import NatsServer, free_port

pytestmark = pytest.mark.server


def test_what_the_server_keeps_is_readable_by_its_owner_alone(nats_server: NatsServer) -> None:
    for path in (nats_server.folder, *nats_server.folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_any_character_of_a_password_reaches_the_server(tmp_path: Path) -> None:
    odd = "5k %\"'\\ @:/#$é}"
    text = passwords({"prober": odd})
    assert json.loads(text.partition(": ")[2]) == odd


async def test_a_password_of_any_characters_logs_in(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats", free_port(), anonymous=False)
    odd = "5k %\"'\\ @:/#$é}"
    server.password_file("prober").parent.mkdir(parents=True)
    server.password_file("prober").write_text(odd + "\n", "utf-8")
    server.start()
    try:
        client = await connect_once(server.url, name="odd", user="prober", password=server.password("prober"))
        await client.close()
    finally:
        server.stop()

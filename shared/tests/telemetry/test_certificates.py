"""Until when certificates hold: those met, and those trusted."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from vonggac.bus.connection import trusting
from vonggac.telemetry.certificates import NATS_CA, not_after, note_certificate


async def test_the_certificate_of_a_server_is_noted_as_it_was_met(tmp_path: Path) -> None:
    authority, ends = trustme.CA(), datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", not_after=ends).configure_cert(serving)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=serving)
    port = server.sockets[0].getsockname()[1]
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
    note_certificate("a server", writer.get_extra_info("ssl_object"))
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    server.close()
    await server.wait_closed()
    assert not_after()["a server"] == ends.timestamp()


def test_of_a_file_of_authorities_the_first_to_end_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    authorities = [trustme.CA(), trustme.CA()]
    file.write_bytes(b"".join(one.cert_pem.bytes() for one in authorities))
    context = trusting(file)
    assert context is not None
    ends = [ssl.cert_time_to_seconds(str(one["notAfter"])) for one in context.get_ca_certs()]
    assert not_after()[NATS_CA] == min(ends)


@pytest.mark.parametrize("connection", [None, object()])
def test_a_line_without_tls_has_none(connection: object) -> None:
    note_certificate("plain", connection)
    assert "plain" not in not_after()

"""The bundled servers, started with the configuration that the chart renders: TLS, users, the set-up Job's command."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nats.errors import Error as NatsError
from nats.js.errors import APIError
from tests.chart.servers.bundled import NAME, Bundled, started

from local.backup.copy_folder import StreamCopy
from local.backup.streams import connected
from local.commands.nats_certificate import ensure_certificate
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import TESTER
from vonggac.events import subjects
from vonggac.testing import eventually

pytestmark = [pytest.mark.server, pytest.mark.slow]

three = pytest.mark.parametrize("bundled", [3], indirect=True)


def greeting(port: int) -> dict[str, Any]:
    """What a server says first, before TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, connection.makefile() as text:
        return dict(json.loads(text.readline().removeprefix("INFO ")))


def route_answers(port: int, tls: Path, *, certificate: bool) -> bool:
    """Whether a server talks with whom claims to be one: over TLS, with the servers' certificate or without any."""
    context = ssl.create_default_context(cafile=tls / "ca.crt")
    if certificate:
        context.load_cert_chain(tls / "tls.crt", tls / "tls.key")
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            return connection.recv(5) == b"INFO "
    except (ssl.SSLError, ConnectionError):
        return False


def test_the_set_up_job_declares_everything_once(bundled: Bundled) -> None:
    assert bundled.set_up().startswith("declared: INVENTORY, PROBE_JOBS, ")
    began = time.monotonic()
    assert bundled.set_up() == "nothing to declare\n"
    assert time.monotonic() - began < 30

    async def config() -> dict[str, object]:
        async with bundled.connected("reporting") as js:
            return (await js.stream_info(topology.OBSERVATIONS)).config.as_dict()

    stands = asyncio.run(config())
    assert (stands["max_bytes"], stands["num_replicas"]) == (64 << 20, 1)
    assert (stands["deny_delete"], stands["deny_purge"]) == (True, True)


def test_a_server_of_another_authority_is_refused(bundled: Bundled, tmp_path: Path) -> None:
    ensure_certificate(tmp_path / "other", ("localhost",))

    async def connect() -> None:
        client = await connect_once(bundled.url, name="test", ca_file=tmp_path / "other/ca.crt")
        await client.close()

    bundled.set_up()
    with pytest.raises(OSError, match="certificate verify failed"):
        asyncio.run(connect())


@three
def test_two_of_three_servers_store_and_the_third_catches_up(bundled: Bundled) -> None:
    bundled.set_up()

    async def leader() -> str:
        async with bundled.connected("setup") as js:
            info = await js.stream_info(topology.OBSERVATIONS)
            assert info.cluster is not None
            assert info.cluster.leader
            return info.cluster.leader

    async def stored() -> bool:
        try:
            async with bundled.connected("prober") as js:
                await js.publish(subjects.camera_observation("a"), b"{}", headers={"Nats-Msg-Id": "one"})
        except (NatsError, TimeoutError, OSError) as error:
            # The servers elect.
            raise AssertionError(error) from error
        return True

    async def caught_up() -> bool:
        async with bundled.connected("setup") as js:
            info = await js.stream_info(topology.OBSERVATIONS)
            assert info.cluster is not None
            assert info.state.messages == 1
            return all(other.current and not other.offline for other in info.cluster.replicas or [])

    async def lose_one() -> None:
        lost = int((await eventually(leader, within_s=30, poll_s=0.5)).rpartition("-")[2])
        await asyncio.to_thread(bundled.kill, lost)
        await eventually(stored, within_s=60, poll_s=0.5)
        await asyncio.to_thread(bundled.start, lost)
        await eventually(caught_up, within_s=60, poll_s=0.5)

    asyncio.run(lose_one())
    assert bundled.set_up() == "nothing to declare\n"


@three
def test_a_backup_of_three_servers_fills_three_others(bundled: Bundled, tmp_path: Path) -> None:
    """Through one of them, as a forwarded port is: the others answer by it."""
    bundled.set_up()

    async def saved() -> list[tuple[StreamCopy, Path]]:
        async with bundled.connected("prober") as js:
            for number in range(50):
                await js.publish(subjects.camera_observation(str(number)), b"{}")
        found = []
        async with connected(f"tls://localhost:{bundled.ports[1]}", bundled.owner, bundled.authority) as streams:
            for name in await streams.names():
                folder = tmp_path / "copy" / name
                folder.mkdir(parents=True)
                found.append((await streams.save(name, folder), folder))
        return found

    async def loaded(other: Bundled, copies: list[tuple[StreamCopy, Path]]) -> int:
        await other.together()
        async with connected(f"tls://localhost:{other.ports[2]}", other.owner, other.authority) as streams:
            for copy, folder in copies:
                await streams.load(copy, folder, replicas=None)
        async with other.connected("reporting") as js:
            return (await js.stream_info(topology.OBSERVATIONS)).state.messages

    copies = asyncio.run(saved())
    with started(tmp_path / "others", 3) as other:
        assert asyncio.run(loaded(other, copies)) == 50
        assert other.set_up() == "nothing to declare\n"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundled]:
    """Three servers with everything declared, for the tests that leave them as they are."""
    with started(tmp_path_factory.mktemp("cluster"), 3) as servers:
        servers.declared = servers.set_up()
        yield servers


def test_three_servers_are_one_cluster_that_speaks_tls_alone(cluster: Bundled) -> None:
    assert cluster.declared.startswith("declared: ")
    assert cluster.set_up() == "nothing to declare\n"
    assert [greeting(port)["tls_required"] for port in cluster.ports] == [True] * 3
    for port in cluster.routes:
        assert route_answers(port, cluster.folder / "tls", certificate=True)
        assert not route_answers(port, cluster.folder / "tls", certificate=False)
    # Addresses would not stand in the certificate: no server names the others to clients.
    assert [greeting(port).get("connect_urls") for port in cluster.ports] == [None] * 3

    async def copies() -> bool:
        async with cluster.connected("setup") as js:
            for stream in (topology.INVENTORY, topology.OBSERVATIONS, topology.DELIVERY_JOBS):
                info = await js.stream_info(stream)
                assert info.cluster is not None
                others = info.cluster.replicas or []
                servers = {info.cluster.leader, *(other.name for other in others)}
                assert servers == {f"{NAME}-{number}" for number in range(3)}, servers
                assert [other.name for other in others if not other.current or other.offline] == []
        return True

    asyncio.run(eventually(copies, within_s=60, poll_s=0.5))


def test_no_login_purges_or_deletes_facts_or_the_register(cluster: Bundled) -> None:
    async def attempts() -> None:
        async with cluster.connected("inventory") as js:
            stored = await js.publish(subjects.inventory("camera", "a"), b"{}")
        async with cluster.connected(TESTER.name) as js:
            for stream in (topology.INVENTORY, topology.OBSERVATIONS):
                with pytest.raises(APIError, match="purge not permitted"):
                    await js.purge_stream(stream)
                with pytest.raises(APIError, match="delete not permitted"):
                    await js.delete_msg(stream, stored.seq)
                config = (await js.stream_info(stream)).config
                config.deny_purge = False
                with pytest.raises(APIError, match="can not cancel deny purge"):
                    await js.update_stream(config)
            assert (await js.stream_info(topology.INVENTORY)).state.messages == stored.seq

    asyncio.run(attempts())


def test_a_user_has_its_own_subjects_alone_and_a_stranger_is_refused(cluster: Bundled) -> None:
    async def attempts() -> None:
        async with cluster.connected("prober") as js:
            assert (await js.publish(subjects.camera_observation("a"), b"{}")).stream == topology.OBSERVATIONS
            with pytest.raises((NatsError, TimeoutError)):
                await js.publish(subjects.inventory("camera", "a"), b"{}", timeout=1)
        with pytest.raises(NatsError, match="Authorization Violation"):
            await connect_once(cluster.url, name="test", ca_file=cluster.authority)

    asyncio.run(attempts())

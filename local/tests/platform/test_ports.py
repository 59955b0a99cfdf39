"""Choosing ports, with real sockets in the way."""

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from local.platform import ports as ports_module
from local.platform.ports import (
    LOOPBACK_NETWORKS,
    RTSP_PORTS,
    Ports,
    anywhere,
    choose,
    choose_replicas,
    chosen_alone,
    is_free,
    own_endpoints,
    remember,
    remembered,
)
from simulator.demo import demo_config
from vonggac.net.allowed_networks import AllowedNetworks


@pytest.fixture(autouse=True)
def own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address of loopback where no program listens: the tests beside these take ports, too."""
    monkeypatch.setattr(ports_module, "LOOPBACK", f"127.77.{os.getpid() % 256}.1")


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((ports_module.LOOPBACK, port))
        server.listen()
        yield


def test_free_ports_are_taken_as_wanted_and_nothing_is_said() -> None:
    wanted, said = anywhere(), list[tuple[str, str]]()
    assert choose(wanted, lambda *words: said.append(words)) == wanted
    assert said == []


def test_a_taken_port_is_named_and_another_one_used() -> None:
    wanted, said = anywhere(), list[tuple[str, str]]()
    with listening(wanted.inventory):
        chosen = choose(wanted, lambda *words: said.append(words))
        assert is_free(chosen.inventory)
    assert chosen == replace(wanted, inventory=chosen.inventory)
    assert chosen.inventory != wanted.inventory
    assert said == [
        ("inventory", f"port {wanted.inventory} is taken by another program: using {chosen.inventory}"),
    ]


def test_one_taken_rtsp_port_moves_the_whole_range() -> None:
    wanted, said = anywhere(), list[tuple[str, str]]()
    with listening(wanted.rtsp_base + RTSP_PORTS - 1):
        chosen = choose(wanted, lambda *words: said.append(words))
        assert all(is_free(port) for port in range(chosen.rtsp_base, chosen.rtsp_base + RTSP_PORTS))
    assert [part for part, _ in said] == ["simulator"]
    assert str(wanted.rtsp_base) in said[0][1]
    assert str(chosen.rtsp_base) in said[0][1]


def test_no_port_is_given_twice() -> None:
    one = Ports(*[anywhere().nats] * len(astuple(Ports())))
    ports = list(astuple(choose(one, lambda *_: None)))
    rtsp_base = ports.pop()
    assert len(set(ports)) == len(ports)
    assert not set(ports) & set(range(rtsp_base, rtsp_base + RTSP_PORTS))


async def test_two_platforms_do_not_choose_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    order, waiting = list[str](), asyncio.Event()

    async def second() -> None:
        async with chosen_alone(lambda *_: waiting.set()):
            order.append("second")

    async with chosen_alone(lambda *_: order.append("told without need")):
        other = asyncio.create_task(second())
        await waiting.wait()
        order.append("first")
    await other
    assert order == ["first", "second"]


def test_centres_lie_where_the_simulator_puts_them() -> None:
    ports = Ports(rtsp_base=20_000)
    assert [ports.centre(index) for index in (0, 1)] == [centre.port for centre in demo_config(20_000).centres]
    last = max(device.port for device in (*demo_config(20_000).cameras, *demo_config(20_000).centres))
    assert last < ports.rtsp_base + RTSP_PORTS


def test_each_further_worker_gets_a_free_port_of_its_own() -> None:
    ports = anywhere()
    chosen = choose_replicas(ports, {"prober": 1, "forwarder": 3})
    assert list(chosen) == ["forwarder-2", "forwarder-3"]
    taken = {*astuple(ports), *range(ports.rtsp_base, ports.rtsp_base + RTSP_PORTS)}
    assert len({*chosen.values()} - taken) == 2
    assert all(is_free(port) for port in chosen.values())


def test_ports_are_those_of_the_last_start(tmp_path: Path) -> None:
    file, first, further = tmp_path / "ports.json", anywhere(), {"forwarder-2": 21_007}
    assert remembered(file) == (Ports(), {})
    remember(file, first, {"prober-2": 21_008}, further)
    assert remembered(file) == (first, {"prober-2": 21_008, "forwarder-2": 21_007})
    ports, before = remembered(file)
    assert choose(ports, lambda *_: None) == first
    assert choose_replicas(first, {"forwarder": 2}, before) == {"forwarder-2": 21_007}


def test_a_port_of_the_last_start_that_is_taken_now_gives_way_to_another(tmp_path: Path) -> None:
    file, first, said = tmp_path / "ports.json", anywhere(), list[str]()
    remember(file, first, {}, {})
    with listening(first.reporting):
        chosen = choose(remembered(file)[0], lambda _, text: said.append(text))
    assert said == [f"port {first.reporting} is taken by another program: using {chosen.reporting}"]
    assert replace(chosen, reporting=first.reporting) == first


@pytest.mark.parametrize("content", ["", "[]", '{"ports": {"nats": "x"}, "replicas": {}}', '{"ports": {"nats": 0}}'])
def test_a_damaged_record_of_ports_hinders_no_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content, "utf-8")
    assert remembered(tmp_path / "ports.json") == (Ports(), {})


def test_the_platforms_own_ports_are_denied_on_loopback_and_its_devices_are_not() -> None:
    ports = anywhere()
    allowed = AllowedNetworks.parse(LOOPBACK_NETWORKS, own_endpoints(ports, [21_007]))
    for address in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        for port in (*astuple(ports)[:-1], 21_007):
            assert not allowed.allow(address, port)
        assert all(allowed.allow(address, ports.rtsp_base + number) for number in range(RTSP_PORTS))

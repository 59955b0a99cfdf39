"""What a later start still knows, and which networks the named hosts open."""

from pathlib import Path

import pytest

from local.own.known import Known, networks_of


def test_hosts_and_facilities_are_remembered_once(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    assert Known.read(file) == Known()
    Known(("10.0.0.1",)).and_these(hosts=["10.0.0.2", "10.0.0.1"], facilities=["CS-01"]).write(file)
    assert Known.read(file) == Known(("10.0.0.1", "10.0.0.2"), ("CS-01",))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"hosts": 5, "facilities": []}'])
def test_a_damaged_record_hinders_no_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "own.json").write_text(content, "utf-8")
    assert Known.read(tmp_path / "own.json") == Known()


async def test_a_named_host_opens_its_address_alone() -> None:
    networks, notes = await networks_of(["10.0.0.1", "192.168.1.20", "::ffff:10.0.0.9", "fd00::5", "10.1"])
    assert networks == ("10.0.0.1/32", "192.168.1.20/32", "10.0.0.9/32", "fd00::5/128")
    assert notes == []


async def test_a_name_without_an_address_opens_nothing_and_is_noted() -> None:
    networks, notes = await networks_of(["no-such-host.invalid"])
    assert networks == ()
    assert notes == [
        "no-such-host.invalid has no address that a camera could have: it is allowed once a start finds one"
    ]

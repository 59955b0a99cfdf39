"""Settings from the environment."""

from pathlib import Path

import pytest

from prober.settings import Settings
from vonggac.settings import load_or_exit


@pytest.fixture(autouse=True)
def key_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VONGGAC_PROBER_WORKERS_PRIVATE_KEY_FILE", str(tmp_path / "workers.key"))


@pytest.mark.parametrize("text", ["127.0.0.0/8, 10.1.0.0/16", '["127.0.0.0/8", "10.1.0.0/16"]'])
def test_networks_are_given_with_commas_or_as_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("VONGGAC_PROBER_ALLOWED_NETWORKS", text)
    assert load_or_exit(Settings).allowed_networks == ("127.0.0.0/8", "10.1.0.0/16")


def test_by_default_no_loopback_and_no_public_address_is_probed() -> None:
    networks = load_or_exit(Settings).allowed_networks
    assert networks
    assert not any(network.startswith(("127.", "0.")) for network in networks)


@pytest.mark.parametrize("text", ["10.1.0.0/33", '["10.1.0.0/16"', "camera.local"])
def test_a_wrong_network_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setenv("VONGGAC_PROBER_ALLOWED_NETWORKS", text)
    with pytest.raises(SystemExit) as stop:
        load_or_exit(Settings)
    assert stop.value.code == 2
    assert "VONGGAC_PROBER_ALLOWED_NETWORKS" in capsys.readouterr().err


def test_the_key_file_is_required(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("VONGGAC_PROBER_WORKERS_PRIVATE_KEY_FILE")
    with pytest.raises(SystemExit):
        load_or_exit(Settings)
    assert "VONGGAC_PROBER_WORKERS_PRIVATE_KEY_FILE" in capsys.readouterr().err

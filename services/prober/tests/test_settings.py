"""Settings from the environment."""

from pathlib import Path

import pytest

from prober.settings import Settings
from vonggac.settings import load_or_exit


@pytest.fixture(autouse=True)
def required(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VONGGAC_PROBER_WORKERS_PRIVATE_KEY_FILE", str(tmp_path / "workers.key"))
    monkeypatch.setenv("VONGGAC_PROBER_ALLOWED_NETWORKS", "10.20.0.0/16")


@pytest.mark.parametrize("text", ["127.0.0.0/8, 10.1.0.0/16", '["127.0.0.0/8", "10.1.0.0/16"]'])
def test_networks_are_given_with_commas_or_as_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("VONGGAC_PROBER_ALLOWED_NETWORKS", text)
    assert load_or_exit(Settings).allowed_networks == ("127.0.0.0/8", "10.1.0.0/16")


@pytest.mark.parametrize(
    "text", ["127.0.0.0/8:5432, [fd00::/64]:8080", "[fd00::/64]:8080,127.0.0.0/8:5432", '["127.0.0.0/8:5432"]']
)
def test_own_endpoints_are_taken_out_of_the_allowed_networks(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("VONGGAC_PROBER_ALLOWED_NETWORKS", "127.0.0.0/8, fd00::/8")
    monkeypatch.setenv("VONGGAC_PROBER_DENIED_ENDPOINTS", text)
    allowed = load_or_exit(Settings).allowed
    assert allowed.allow("127.0.0.1", 554)
    assert not allowed.allow("127.0.0.1", 5432)


@pytest.mark.parametrize("missing", ["WORKERS_PRIVATE_KEY_FILE", "ALLOWED_NETWORKS"])
def test_what_only_the_installer_knows_is_required(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    monkeypatch.delenv(f"VONGGAC_PROBER_{missing}")
    with pytest.raises(SystemExit):
        load_or_exit(Settings)
    assert f"VONGGAC_PROBER_{missing}" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["10.1.0.0/33", '["10.1.0.0/16"', "camera.local"])
def test_a_wrong_network_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setenv("VONGGAC_PROBER_ALLOWED_NETWORKS", text)
    with pytest.raises(SystemExit) as stop:
        load_or_exit(Settings)
    assert stop.value.code == 2
    assert "VONGGAC_PROBER_ALLOWED_NETWORKS" in capsys.readouterr().err

"""Settings: from the environment, with units and meaning; a bad value stops the start and is named."""

import pytest
from structlog.testing import capture_logs

from vonggac.settings import ServiceSettings, SettingsConfigDict, describe, load_or_exit, log_unknown_settings
from vonggac.settings.database import DatabaseUrl


class Sample(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="VONGGAC_SAMPLE_", frozen=True, extra="ignore")


class WithDatabase(Sample):
    database_url: DatabaseUrl


def test_a_value_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VONGGAC_SAMPLE_PORT", "8101")
    assert load_or_exit(Sample).port == 8101


def test_a_bad_value_is_named_and_nothing_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VONGGAC_SAMPLE_PORT", "70000")
    monkeypatch.setenv("VONGGAC_SAMPLE_LOG_LEVEL", "loud")
    with pytest.raises(SystemExit) as stopped:
        load_or_exit(Sample)
    assert stopped.value.code == 2
    complaint = capsys.readouterr().err
    assert "VONGGAC_SAMPLE_PORT" in complaint
    assert "VONGGAC_SAMPLE_LOG_LEVEL" in complaint


def test_a_variable_that_is_no_setting_is_logged_with_the_one_it_resembles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VONGGAC_SAMPLE_PORT", "8101")
    monkeypatch.setenv("VONGGAC_SAMPLE_MAX_CONECTIONS", "S3cret!")
    monkeypatch.setenv("VONGGAC_SAMPLE_XYZ", "1")
    load_or_exit(Sample)
    with capture_logs() as logs:
        log_unknown_settings(Sample)
    assert [(line["event"], line["setting"], line["meant"]) for line in logs] == [
        ("setting_unknown", "VONGGAC_SAMPLE_MAX_CONECTIONS", "VONGGAC_SAMPLE_MAX_CONNECTIONS"),
        ("setting_unknown", "VONGGAC_SAMPLE_XYZ", None),
    ]
    assert "S3cret!" not in str(logs)


def test_a_setting_that_became_a_constant_is_logged_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VONGGAC_SAMPLE_IDLE_TIMEOUT_S", "60")
    with capture_logs() as logs:
        log_unknown_settings(Sample)
    [line] = logs
    assert (line["event"], line["setting"], line["meant"]) == ("setting_unknown", "VONGGAC_SAMPLE_IDLE_TIMEOUT_S", None)
    assert "remove the variable" in line["advice"]


@pytest.mark.parametrize(
    "url", ["foo", "postgresql://u:S3cret!@h/d", "sqlite:///x", "postgresql+psycopg://u:S3cret!@h:x/d"]
)
def test_an_address_of_no_database_is_named_and_not_shown(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VONGGAC_SAMPLE_DATABASE_URL", url)
    with pytest.raises(SystemExit) as stopped:
        load_or_exit(WithDatabase)
    assert stopped.value.code == 2
    complaint = capsys.readouterr().err
    assert "VONGGAC_SAMPLE_DATABASE_URL: " in complaint
    assert "postgresql+psycopg://user@host:5432/database" in complaint
    assert "S3cret!" not in complaint


def test_a_password_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VONGGAC_SAMPLE_NATS_PASSWORD", "S3cret!")
    assert "S3cret!" not in repr(load_or_exit(Sample))


def test_every_setting_says_what_it_means() -> None:
    assert all(setting.meaning and setting.set_by for setting in describe(Sample))

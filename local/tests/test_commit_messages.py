"""The hook of commit messages: what it refuses, and with which words."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_spec = spec_from_file_location("message", ROOT / ".githooks" / "message.py")
assert _spec is not None
assert _spec.loader is not None
_message = module_from_spec(_spec)
_spec.loader.exec_module(_message)
find_mistakes: Callable[..., list[str]] = _message.find_mistakes
GOOD = "forwarder: cap queued bytes\n\nOne slow centre filled the memory of all.\n"


def test_a_scope_a_verb_an_object_and_a_reason_pass() -> None:
    assert find_mistakes(GOOD, changes_source=True) == []
    assert find_mistakes("docs: name the setting of the port\n", changes_source=False) == []
    assert find_mistakes("# a comment of git\n" + GOOD, changes_source=True) == []


@pytest.mark.parametrize("subject", ["Merge branch 'x'", 'Revert "forwarder: cap queued bytes"', "fixup! x"])
def test_what_git_writes_passes(subject: str) -> None:
    assert find_mistakes(subject, changes_source=True) == []


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("cap queued bytes\n\nWhy.", "no scope"),
        ("forwarder: queued bytes are capped\n\nWhy.", "'queued' is no verb"),
        ("forwarder: capped bytes\n\nWhy.", "'capped' is no verb"),
        ("forwarder: cap\n\nWhy.", "no object"),
        (f"forwarder: cap {'x' * 60}\n\nWhy.", "75 characters"),
        ("forwarder: cap bytes; drop groups\n\nWhy.", "semicolon"),
        ("forwarder: cap queued bytes.\n\nWhy.", "full stop"),
        ("forwarder: cap queued bytes\nWhy.", "second line"),
        ("forwarder: cap queued bytes\n", "no body"),
        ("forwarder: cap queued bytes\n\n# only a comment\n", "no body"),
        ("", "no scope"),
    ],
)
def test_a_mistake_is_named_with_what_to_write(message: str, named: str) -> None:
    assert any(named in mistake for mistake in find_mistakes(message, changes_source=True))


def test_git_refuses_a_commit_whose_message_breaks_a_rule(tmp_path: Path) -> None:
    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    def commit(message: str) -> subprocess.CompletedProcess[str]:
        return run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", message)

    run("git", "init", "-q", ".")
    hook = tmp_path / ".git" / "hooks" / "commit-msg"
    hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/.githooks/hook.py" "$1"\n')
    hook.chmod(0o755)
    source = tmp_path / "services" / "src" / "a.py"
    source.parent.mkdir(parents=True)
    source.write_text("")
    run("git", "add", "-A")
    refused = commit("forwarder: cap queued bytes")
    assert refused.returncode != 0
    assert "write why" in refused.stderr
    assert commit(GOOD).returncode == 0

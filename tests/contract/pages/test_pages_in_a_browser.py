"""The pages in a real browser, under their own Content-Security-Policy. Needs a chromium, of whichever package."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import httpx
import pytest
from tests.clients.conftest import Served, wait_until
from tests.contract.test_callers import applications

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable"))),
    None,
)
pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.timeout(600),  # a busy machine takes minutes to draw what an idle one draws in a second
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium-headless-shell"),
]


def opened(address: str) -> tuple[str, str]:
    """The page as it stands after its scripts, and what the browser logged."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory() as profile:
        # Without these a full browser opens a window, and asks its maker's hosts when it starts.
        command = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-sync",
            "--disable-background-networking",
            "--disable-component-update",
            f"--user-data-dir={profile}",
            "--enable-logging=stderr",
            "--virtual-time-budget=8000",
            "--dump-dom",
            address,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=True)
    return done.stdout, done.stderr


def test_the_documentation_opens_closed_with_a_filter_and_no_policy_is_broken(keys_folder: Path) -> None:
    with Served({"prober": applications(keys_folder)["prober"]}, lifespan="off") as served:
        address = served.addresses["prober"]
        wait_until(lambda: httpx.get(f"{address}/livez", trust_env=False).status_code == httpx.codes.OK)
        page, log = opened(f"{address}/docs")
        assert page.count("opblock-tag-section") == len(applications(keys_folder)["prober"].openapi()["tags"])
        assert "opblock-summary-path" not in page, "the operations of a tag are drawn when it is opened"
        assert "operation-filter-input" in page
        assert "model-container" not in page
        assert "Content Security Policy" not in log
        front, log = opened(f"{address}/")
        assert "<h1>Vong Gac Prober</h1>" in front
        assert "Content Security Policy" not in log

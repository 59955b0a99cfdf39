"""axe-core (MPL-2.0) for the tests of the pages: brought by npm on demand, at one version with one digest."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

VERSION = "4.10.2"
SHA256 = "b511cd9dec01c76f4b2ad1723b66b6db37d4c2eb4ed199076e1829d9ee7b75e3"
"""Of `axe.min.js` in the package of that version."""
KEPT = Path(__file__).parents[3] / ".tools" / f"axe-core-{VERSION}.min.js"
WITHIN_S = 60
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async (tags) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return found.violations.map((each) => [each.id, each.nodes.map((node) => node.target.join(" "))]);
}"""


def load_axe() -> str:
    """Return the script of axe-core. Skips the test where npm cannot bring it, fails where it is another one."""
    if not KEPT.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"no npm on PATH, so no axe-core {VERSION}: apt install npm")
        with tempfile.TemporaryDirectory() as folder:
            command = [npm, "pack", f"axe-core@{VERSION}", "--silent", "--pack-destination", folder]
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=WITHIN_S, cwd=folder)
                with tarfile.open(next(Path(folder).glob("*.tgz"))) as package:
                    script = package.extractfile("package/axe.min.js")
                    assert script is not None
                    text = script.read()
            except (OSError, subprocess.SubprocessError, StopIteration, KeyError) as error:
                pytest.skip(f"npm brings no axe-core {VERSION}: {type(error).__name__}")
        assert hashlib.sha256(text).hexdigest() == SHA256, f"axe-core {VERSION} is not the one that was chosen"
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_bytes(text)
    found = KEPT.read_bytes()
    assert hashlib.sha256(found).hexdigest() == SHA256, f"{KEPT} was changed: remove it"
    return found.decode()


async def find_violations(page: Page, script: str) -> list[Any]:
    """Return what axe-core finds on the page as it is now: rule and elements."""
    await page.evaluate(script)
    found: list[Any] = await page.evaluate(_RUN, TAGS)
    return found

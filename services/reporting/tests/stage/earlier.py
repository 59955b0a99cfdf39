"""Reports as the release before rule 3 froze and rendered them: three facilities of the example, in two versions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reporting.reports.snapshot.report import Report, parsed

FOLDER = Path(__file__).parent
EARLIER = ("report", "version-2")
FILES: Mapping[str, Mapping[str, str]] = {
    "report": {
        "json": "af4a28ab45ddb8000ba591585823ac2b935d95f0cefc270cb084686d7df41323",
        "csv": "6d59e172e3513b6bcf446d61c40c9e4c563e59a2ff259d8429982d3751059f66",
        "xlsx": "95da86fb5d56e8b26a71429f007f446643060f0ee78ffa18f70d0a98f1525d4d",
        "docx": "73f9c31ac1a328a2e4e5fddc8514ea27e47fc7cc418edd1ab70ef90de908e556",
        "pdf": "6a1b530f3cca1b374c80ba8926f6141a7ecceb8416e5a37b4c240a63ba7fbaf4",
    },
    "version-2": {
        "json": "b931f067e05047fe71acafa13280f0738f2d29f45dc1ff8fbcf78dfd00224cfb",
        "csv": "9fdab6f634cdbd5264ea76d10b085528b68c74016933071807ff02699c8f0ae0",
        "xlsx": "0c8ba51aec469d460051088d836afd53525213e162ee0af270d98c23497e8cb0",
        "docx": "da567c764efc4866d882f20e63e006b8f8704c61fa486da2a6796042ec3605e7",
        "pdf": "2dc3e190bc8b85f207784a988b4e28653ae7f0791fdae34dc84e272d8ba70096",
    },
}
"""SHA-256 of each of their files."""


def earlier(name: str) -> Report:
    """One of EARLIER, its digests checked."""
    return parsed((FOLDER / f"earlier-{name}.json").read_bytes())

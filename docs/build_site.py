"""Build the documentation as a site that needs no network: `python docs/build_site.py MKDOCS FOLDER` (`make docs`).

The pages are those of the repository, with the files that they link to, at the same places. Nothing of the site is
committed. A dead link ends it. The pages can be opened as files; to search in them, serve the folder
(`python3 -m http.server --directory dist/site`).
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
MENU: Mapping[str, tuple[str, ...]] = {
    "Dành cho cán bộ": ("docs/nhap-xuat-tep.md", "docs/operations/centres-that-pull.md", "docs/examples/README.md"),
    "Start": ("README.md", "docs/own-cameras.md", "docs/first-facility.md", "docs/reports.md", "docs/glossary.md"),
    "Operate": ("docs/operations/*.md", "deploy/k8s/README.md"),
    "Runbooks": ("docs/operations/runbooks/*.md",),
    "Reference": ("docs/reference/*.md",),
    "Inside": (
        "docs/architecture.md", "services/*/README.md", "console/README.md", "shared/README.md", "simulator/README.md",
        "local/README.md", "docs/benchmarks.md", "docs/benchmarks/*.md",
    ),
    "Decisions": ("docs/decisions/README.md", "docs/decisions/*.md"),
    "Project": (
        "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md",
        "tests/chart/custom_resources/README.md",
    ),
}  # fmt: skip
"""Pages by section, those for officials first. A page that several patterns name stands where it is named first."""
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#?\s]+)")
_FOLDER_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#?\s]+)\)")
_CONFIG = {
    "site_name": "Vọng Gác",
    "theme": {
        "name": "material",
        "language": "vi",
        # From the package: nothing is fetched.
        "font": False,
        "features": ["navigation.indexes", "navigation.top", "search.highlight", "toc.follow"],
        "palette": {"primary": "teal"},
    },
    "extra": {"generator": False},
    # Not `offline`: it has the search of pages that are opened as files fetched from elsewhere.
    "plugins": [{"search": {"lang": ["vi", "en"]}}],
    "use_directory_urls": False,
    "markdown_extensions": ["attr_list", "tables", "fenced_code", {"toc": {"permalink": True}}],
    "validation": {"links": {"not_found": "warn", "absolute_links": "warn"}, "nav": {"omitted_files": "warn"}},
}


def list_menu() -> dict[str, list[str]]:
    """Return the pages of each section, as paths from the root."""
    there: set[str] = set()
    menu: dict[str, list[str]] = {}
    for section, patterns in MENU.items():
        found = [str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(ROOT.glob(pattern))]
        menu[section] = [page for page in dict.fromkeys(found) if page not in there]
        there.update(menu[section])
    return menu


def stage_pages(folder: Path) -> None:
    """Copy pages and the files that they link to into a folder, at the same places."""
    for pages in list_menu().values():
        for page in pages:
            target = folder / page
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(without_folder_links(page), encoding="utf-8")
            for file in _linked_files(page):
                copy = folder / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


def without_folder_links(page: str) -> str:
    """Return the text of a page: a link to a folder leads to its README, or is none where it has none."""
    at = (ROOT / page).parent

    def follow(link: re.Match[str]) -> str:
        target = at / link[2]
        if not target.is_dir():
            return link[0]
        return f"[{link[1]}]({link[2].rstrip('/')}/README.md)" if (target / "README.md").exists() else link[1]

    return _FOLDER_LINK.sub(follow, (ROOT / page).read_text("utf-8"))


def _linked_files(page: str) -> Iterator[Path]:
    for link in LINK.findall((ROOT / page).read_text("utf-8")):
        file = ((ROOT / page).parent / link).resolve()
        if file.is_file() and file.suffix != ".md" and file.is_relative_to(ROOT):
            yield file


def build(mkdocs: str, site: Path) -> int:
    """Build the site; return the exit status of MkDocs, 1 where a link is dead or a page is in no section."""
    work = site.parent / f"{site.name}-pages"
    shutil.rmtree(work, ignore_errors=True)
    stage_pages(work / "pages")
    menu = [{section: pages} for section, pages in list_menu().items()]
    config = _CONFIG | {"docs_dir": "pages", "site_dir": str(site.resolve()), "nav": menu}
    # JSON is YAML.
    (work / "mkdocs.yml").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    command = [mkdocs, "build", "--strict", "--config-file", str(work / "mkdocs.yml")]
    done = subprocess.run(command, check=False)
    shutil.rmtree(work, ignore_errors=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(build(sys.argv[1], Path(sys.argv[2])))

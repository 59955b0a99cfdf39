"""The site of the documentation has every page of the repository in its menu, and no dead link."""

import re
from collections import Counter
from pathlib import Path

from docs.build_site import LINK, MENU, ROOT, list_menu, stage_pages, without_folder_links
from tests.architecture.modules import tracked

PAGES = {str(path.relative_to(ROOT)) for path in tracked("*.md") if ".github" not in path.parts}


def test_every_page_is_in_the_menu_once() -> None:
    listed = Counter(page for pages in list_menu().values() for page in pages)
    assert set(listed) == PAGES, "write a page into MENU of docs/build_site.py"
    assert {page for page, times in listed.items() if times > 1} == set()
    assert all(list_menu().values()), "a section has no page"


def test_pages_for_officials_come_first_in_their_language() -> None:
    section = next(iter(MENU))
    first = (ROOT / list_menu()[section][0]).read_text("utf-8")
    for text in (section, first.splitlines()[0]):
        assert re.search("[àáảạăâđêôơư]", text), text


def test_every_link_of_a_page_leads_to_a_page_or_file_of_the_site(tmp_path: Path) -> None:
    stage_pages(tmp_path)
    dead = [
        (page, link)
        for page in PAGES
        for link in LINK.findall(without_folder_links(page))
        if not ((tmp_path / page).parent / link).is_file()
    ]
    assert dead == []

"""How people read who did something."""

import pytest

from vonggac.decree.naming import name_on_paper, name_person


@pytest.mark.parametrize(
    ("login", "name", "post", "read"),
    [
        ("nva", "Nguyễn Văn An", "Phó Giám đốc", "Nguyễn Văn An, Phó Giám đốc (nva)"),
        ("nva", "Nguyễn Văn An", None, "Nguyễn Văn An (nva)"),
        ("nva", None, "Phó Giám đốc", "nva"),
        ("nva", "", "", "nva"),
        ("nva", "nva", "", "nva"),
    ],
)
def test_name_and_post_stand_beside_the_login(login: str, name: str | None, post: str | None, read: str) -> None:
    assert name_person(login, name, post) == read


def test_paper_has_no_login() -> None:
    assert name_on_paper("Nguyễn Văn An", "Phó Giám đốc") == "Nguyễn Văn An, Phó Giám đốc"
    assert name_on_paper("Nguyễn Văn An") == "Nguyễn Văn An"
    assert name_on_paper(None, "Phó Giám đốc") == ""

"""How people read who did something: name and post, with the login by which the logs know them."""


def name_person(login: str, name: str | None = None, post: str | None = None) -> str:
    """`Nguyễn Văn A, Phó Giám đốc (nva)`; without a name the login alone."""
    if not name or name == login:
        return login
    return f"{name}, {post} ({login})" if post else f"{name} ({login})"


def name_on_paper(name: str | None, post: str | None = None) -> str:
    """`Nguyễn Văn A, Phó Giám đốc`: paper carries no logins. Empty without a name."""
    return ", ".join(part for part in (name, post) if part) if name else ""

"""What a commit says: `forwarder: cap queued bytes`, and a body with the reason when source changes.

Standard library alone, for any Python from 3.9: git calls it before the environment of the project is made.
"""

from __future__ import annotations

import re
from pathlib import Path

MOST_SUBJECT = 72
"""Characters that git, mail and web pages show without a cut."""
OWN_SUBJECTS = ("Merge ", "Revert ", "fixup! ", "squash! ", "amend! ")
"""What git writes itself."""
VERBS = frozenset((Path(__file__).parent / "verbs.txt").read_text(encoding="ascii").split())
SCOPE = re.compile(r"[a-z0-9][a-z0-9 ,/_.-]*")


def find_mistakes(message: str, *, changes_source: bool) -> list[str]:
    """Return a line for each rule that the message of a commit breaks; each says what to write instead."""
    lines = [line.rstrip() for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0] if lines else ""
    if subject.startswith(OWN_SUBJECTS):
        return []
    scope, colon, text = subject.partition(": ")
    mistakes = []
    if not colon or not SCOPE.fullmatch(scope):
        mistakes.append("the subject has no scope: write `forwarder: cap queued bytes`")
        text = subject
    verb = text.split(" ")[0] if text else ""
    if verb not in VERBS:
        mistakes.append(f"{verb!r} is no verb of .githooks/verbs.txt: begin with what the commit does")
    elif " " not in text:
        mistakes.append(f"{verb!r} has no object: write what it does that to")
    if len(subject) > MOST_SUBJECT:
        mistakes.append(f"the subject has {len(subject)} characters, {MOST_SUBJECT} at most: move the rest to the body")
    if ";" in subject:
        mistakes.append("the subject has a semicolon: make two commits, or write the second thing in the body")
    if subject.endswith("."):
        mistakes.append("the subject ends with a full stop: leave it out")
    if len(lines) > 1 and lines[1]:
        mistakes.append("the second line is not empty: leave a blank line between subject and body")
    if changes_source and not any(lines[2:]):
        mistakes.append("source changes and there is no body: write why, after a blank line")
    return mistakes

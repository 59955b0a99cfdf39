"""What a paper is written on: Word and PDF have the same parts, so that both say the same."""

from collections.abc import Sequence
from typing import Protocol

from vonggac.decree.word_page import Grid


class Page(Protocol):
    """The parts of an official document in the order of the annex."""

    def head(
        self, *, parent: str | None, issuer: str, symbol: str, subject: str | None = None, place: str | None = None
    ) -> None:
        """Names and number on the left, the country on the right."""

    def name(self, name: str, subject: str) -> None:
        """The kind of document, and what it is about."""

    def addressees(self, names: Sequence[str], *, before: float = 6) -> None:
        """«Kính gửi»."""

    def heading(self, text: str, level: int = 1) -> None:
        """A part of the document."""

    def text(self, text: str, *, keep: bool = False) -> None:
        """A paragraph of the body; `keep` with the table that it introduces."""

    def grid(self, grid: Grid, *, wide: bool = False) -> None:
        """A table with rules."""

    def closing(self, recipients: Sequence[str], signer: Sequence[str] = ..., signer_name: str | None = None) -> None:
        """«Nơi nhận» and the signature, on a page with what is signed."""

    def saved(self) -> bytes:
        """The file."""

"""What is wrong with a file: each mistake with line, column, value and what would be right, in two languages."""

from inventory.importing.mistakes.collected import Mistake, Mistakes
from inventory.importing.mistakes.texts import RefusalError, Text, phrase, refuse

__all__ = ["Mistake", "Mistakes", "RefusalError", "Text", "phrase", "refuse"]

"""Numbers and symbols of documents, such as 1742/UBND-VX: no line of a paper ends within one."""

import re

MOST_SIGNS = 18
"""A longer symbol may break: a narrow column could not hold it."""
SYMBOL = r"\d+/(?:\d{4}/)?[^\W\d_]\w*(?:-\w+)+"
UNBROKEN_HYPHEN = "\u2011"
_SYMBOL = re.compile(SYMBOL)


def keep_symbols(text: str) -> str:
    """Put hyphens that break no line into the symbols of the text."""
    return _SYMBOL.sub(_keep, text) if "/" in text else text


def _keep(found: re.Match[str]) -> str:
    symbol = found[0]
    return symbol if len(symbol) > MOST_SIGNS else symbol.replace("-", UNBROKEN_HYPHEN)

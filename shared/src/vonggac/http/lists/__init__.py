"""Lists the same way in all services: strict query parameters, pages with a cursor, `sort`, `fields`, `total`."""

from vonggac.http.lists.cursor import Cursor
from vonggac.http.lists.listing import Listing, PageQuery
from vonggac.http.lists.page import Page, PageOf, SparsePage
from vonggac.http.lists.sorting import Key, Ordering

__all__ = ["Cursor", "Key", "Listing", "Ordering", "Page", "PageOf", "PageQuery", "SparsePage"]

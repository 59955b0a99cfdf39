"""Lists the same way in all services: strict query parameters, pages with a cursor, `sort`, `fields`, `total`."""

from vonggac.http.lists.listing import Listing, PageQuery
from vonggac.http.lists.page import PageOf
from vonggac.http.lists.sorting import Key

__all__ = ["Key", "Listing", "PageOf", "PageQuery"]

"""Conditional requests (RFC 9110 §13): entity tags, If-None-Match on GET, If-Match on changes."""

from vonggac.http.conditional.etags import etag_of, weak_etag_of
from vonggac.http.conditional.if_match import IfMatch, Precondition
from vonggac.http.conditional.revalidation import Revalidation

__all__ = ["IfMatch", "Precondition", "Revalidation", "etag_of", "weak_etag_of"]

"""What stands before every route: sizes, callers, connections, and what an answer says to a browser."""

from vonggac.http.protection.body_limit import BodyLimit, BodyLimits, PlainBodies
from vonggac.http.protection.callers import Callers
from vonggac.http.protection.json_body import JsonRoute
from vonggac.http.protection.response_headers import ResponseHeaders

__all__ = ["BodyLimit", "BodyLimits", "Callers", "JsonRoute", "PlainBodies", "ResponseHeaders"]

"""The OpenAPI document says what is sent: each status with its body and headers, short ids, an example everywhere."""

from vonggac.http.openapi.docs_page import add_documentation
from vonggac.http.openapi.document import describe_operations
from vonggac.http.openapi.problem_responses import problems

__all__ = ["add_documentation", "describe_operations", "problems"]

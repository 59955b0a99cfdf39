"""Errors as RFC 9457 problem+json, in English and Vietnamese: what is wrong, where, and what would be right."""

from vonggac.http.problems.answers import (
    CONTENT_TYPE,
    MOST_ERRORS,
    MOST_OF_A_NAME,
    FieldError,
    Problem,
    ProblemError,
    RefusedBodyError,
    install_problem_handlers,
    name_of,
    not_found,
    problem_response,
    refuse_fields,
)
from vonggac.http.problems.translator import OF_LIBRARY, OTHERWISE, Translator, sentence_of

__all__ = [
    "CONTENT_TYPE",
    "MOST_ERRORS",
    "MOST_OF_A_NAME",
    "OF_LIBRARY",
    "OTHERWISE",
    "FieldError",
    "Problem",
    "ProblemError",
    "RefusedBodyError",
    "Translator",
    "install_problem_handlers",
    "name_of",
    "not_found",
    "problem_response",
    "refuse_fields",
    "sentence_of",
]

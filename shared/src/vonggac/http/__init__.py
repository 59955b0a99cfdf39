"""The HTTP edge the four services have in common: problem+json, health, metrics, and how an app is put together."""

from vonggac.http.application import new_application
from vonggac.http.problems import FieldError, Problem, ProblemError

__all__ = ["FieldError", "Problem", "ProblemError", "new_application"]

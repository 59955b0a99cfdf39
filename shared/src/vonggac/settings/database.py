"""The setting that names a database: an address of PostgreSQL, checked when it is read."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

DRIVER = "postgresql+psycopg"


def _check_address(url: SecretStr) -> SecretStr:
    try:
        driver = make_url(url.get_secret_value()).drivername
    except (ArgumentError, ValueError):
        driver = None
    if driver != DRIVER:
        # Not quoted: it may hold a password.
        msg = f"must be an address such as {DRIVER}://user@host:5432/database"
        raise ValueError(msg)
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_check_address)]

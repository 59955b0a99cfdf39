"""The real PostgreSQL and the real nats-server of the wheels, as child processes: for `make run` and for tests.

Needs the extra `vonggac[embedded]`; production images do not carry it.
"""

from vonggac.embedded.nats import NatsServer
from vonggac.embedded.postgres import PostgresServer
from vonggac.embedded.process import ServerError, free_port

__all__ = ["NatsServer", "PostgresServer", "ServerError", "free_port"]

"""The real PostgreSQL and nats-server of wheels, as child processes: for `make run` and tests.

Needs the extra `vonggac[embedded]`; production images do not have it.
"""

from vonggac.embedded.nats import NatsServer
from vonggac.embedded.postgres import PostgresServer
from vonggac.embedded.process import ServerError, free_port

__all__ = ["NatsServer", "PostgresServer", "ServerError", "free_port"]

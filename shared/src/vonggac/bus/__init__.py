"""NATS JetStream: the distributed engine. Thin over nats-py; no scheduler, lease table or leader election of our own.

`declared` names every stream, consumer, bucket and user (one owner: `python -m vonggac.bus`), `connection` holds the
connection, `pull_consumer` is a durable consumer that survives a server restart, `events` consumes events and acks
after the commit, `jobs` is the work queue (postpone, keep in progress, release), `outgoing` publishes observations
that must not be lost, `messages` keeps them while the server may still forget them, `dead_letters` keeps what no
retry saves, `keyvalue` reads the latest of each and names one owner of several, `bucket_cache` keeps a bucket in
memory, `clock` reads the server's time, `space` watches its disk.
"""

from vonggac.bus.clock import ServerClock
from vonggac.bus.connection import Bus
from vonggac.bus.events import EventConsumer, Received
from vonggac.bus.jobs import Job, JobQueue
from vonggac.bus.keyvalue import Bucket
from vonggac.bus.outgoing import Outgoing
from vonggac.bus.pull_consumer import PullConsumer

__all__ = [
    "Bucket",
    "Bus",
    "EventConsumer",
    "Job",
    "JobQueue",
    "Outgoing",
    "PullConsumer",
    "Received",
    "ServerClock",
]

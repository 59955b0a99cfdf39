"""NATS JetStream: the distributed engine. Thin over nats-py; no scheduler, lease table or leader election of our own.

`topology` declares every stream, consumer and bucket (one owner: `python -m vonggac.bus`), `connection` holds the
connection, `pull_consumer` is a durable consumer that survives a server restart, `events` consumes events and acks
after the commit, `jobs` is the work queue (again later, hold, give back), `outgoing` publishes observations that must
not be lost and remembers what NATS may forget, `dead_letters` keeps what no retry saves, `permissions` says who may do
what, `keyvalue` reads the latest of each and has leases, `bucket_cache` keeps a bucket in memory, `space` measures the
disk. `generate` writes the JSON Schemas of events and the AsyncAPI documents.
"""

from vonggac.bus.connection import Bus
from vonggac.bus.events import EventConsumer, Received
from vonggac.bus.jobs import Job, JobQueue
from vonggac.bus.keyvalue import Bucket
from vonggac.bus.outgoing import Outgoing
from vonggac.bus.pull_consumer import PullConsumer

__all__ = ["Bucket", "Bus", "EventConsumer", "Job", "JobQueue", "Outgoing", "PullConsumer", "Received"]

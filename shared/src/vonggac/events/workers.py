"""Names of workers: `<service>-<id>`, new at every start, and their keys in the bucket `workers`."""


def service_of(worker_id: str) -> str:
    """The service whose worker that is, by its name."""
    return worker_id.partition("-")[0]


def worker_key(worker_id: str) -> str:
    """The key of a worker in the bucket `workers`: `<service>.<worker_id>`, where its service alone may write."""
    return f"{service_of(worker_id)}.{worker_id}"


def worker_of(key: str) -> str:
    """The worker whose key that is; empty where a service wrote in another one's name."""
    worker_id = key.partition(".")[2]
    return worker_id if worker_key(worker_id) == key else ""

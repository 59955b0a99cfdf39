"""JetStream out into files and back in, by the server's own snapshots: messages, sequences, consumers and their state.

The order is the one that heals (decision 0070): the job queues before INVENTORY, which fills them, and the position of
the outbox last.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from local.backup.copy_folder import StreamCopy, UnusableBackupError
from local.platform.streams import Login
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.events import subjects
from vonggac.settings.passwords import read_password

CONNECT_WITHIN_S = 20.0
ANSWER_WITHIN_S = 30.0
"""For one question, and for the next piece of a snapshot."""
RESTORED_WITHIN_S = 600.0
"""The server unpacks a whole stream after its last piece."""
PIECE_BYTES = 128 << 10
RETRY_S = 0.25
DESCRIPTION, CONTENT = "backup.json", "stream.tar.s2"
_FIRST = (topology.PROBE_JOBS, topology.DELIVERY_JOBS, topology.VERIFY_JOBS, topology.INVENTORY)
_LAST = topology.key_value_stream(topology.POSITIONS)


class RefusedByNatsError(OSError):
    """NATS refused a snapshot or a restore; the message is its own."""


class Streams:
    """All streams of one account, as the owner of the streams. Every method raises NatsError, OSError, TimeoutError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def server(self) -> str:
        """Version of the server, `2.15.1`."""
        return str(self._client.connected_server_version)

    async def names(self) -> list[str]:
        """Every stream, in the order in which they are copied."""
        found: list[str] = []
        while True:
            page = await self._request(subjects.STREAM_NAMES, {"offset": len(found)})
            found += page.get("streams") or []
            if not page.get("streams") or len(found) >= page["total"]:
                break
        known = {name: place for place, name in enumerate(_FIRST)}
        return sorted(found, key=lambda name: (name == _LAST, known.get(name, len(known)), name))

    async def save(self, name: str, folder: Path) -> StreamCopy:
        """Write one stream with its consumers; publishers and consumers go on."""
        inbox = self._client.new_inbox()
        pieces = await self._client.subscribe(inbox)
        try:
            described = await self._request(
                subjects.stream_snapshot(name), {"deliver_subject": inbox, "chunk_size": PIECE_BYTES}
            )
            with (folder / CONTENT).open("wb") as file:
                while True:
                    piece = await pieces.next_msg(timeout=ANSWER_WITHIN_S)
                    if not piece.data:
                        _require_end(name, piece)
                        break
                    await asyncio.to_thread(file.write, piece.data)
                    if piece.reply:
                        await self._client.publish(piece.reply)
        finally:
            await pieces.unsubscribe()
        kept = {"config": described["config"], "state": described["state"]}
        (folder / DESCRIPTION).write_text(json.dumps(kept, indent=2) + "\n", "utf-8")
        state = described["state"]
        return StreamCopy(name=name, messages=state["messages"], last_sequence=state["last_seq"])

    async def load(self, copy: StreamCopy, folder: Path, *, replicas: int | None) -> None:
        """Make the stream as it was, in `replicas` copies, or as many as it had.

        Raises UnusableBackupError when what stands afterwards is not what was copied.
        """
        described = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        if replicas is not None:
            described["config"]["num_replicas"] = replicas
        answer = await self._request(subjects.stream_restore(copy.name), described)
        subject = answer["deliver_subject"]
        with (folder / CONTENT).open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                _parsed(copy.name, await self._client.request(subject, piece, timeout=ANSWER_WITHIN_S))
        done = _parsed(copy.name, await self._client.request(subject, b"", timeout=RESTORED_WITHIN_S))
        self._compare(copy, done["state"])

    def _compare(self, copy: StreamCopy, state: Mapping[str, Any]) -> None:
        # What had a time to live may be over; what came in is never more than what was copied.
        if state["last_seq"] < copy.last_sequence or state["messages"] > copy.messages:
            msg = (
                f"{copy.name} has {state['messages']} messages up to {state['last_seq']}, and the backup "
                f"{copy.messages} up to {copy.last_sequence}"
            )
            raise UnusableBackupError(msg)

    async def _request(self, subject: str, question: Mapping[str, Any]) -> dict[str, Any]:
        name = subject.rpartition(".")[2]
        return _parsed(name, await self._client.request(subject, json.dumps(question).encode(), ANSWER_WITHIN_S))


def _parsed(name: str, answer: Msg) -> dict[str, Any]:
    if not answer.data:
        return {}
    content: dict[str, Any] = json.loads(answer.data)
    if "error" in content:
        raise RefusedByNatsError(f"NATS refused {name}: {content['error'].get('description', content['error'])}")
    return content


def _require_end(name: str, piece: Msg) -> None:
    headers = piece.headers or {}
    if headers.get("Status", "204") != "204":
        reason = headers.get("Description", headers["Status"])
        raise RefusedByNatsError(f"the snapshot of {name} broke off: {reason}")


@asynccontextmanager
async def connected(url: str, login: Login | None, ca_file: Path | None) -> AsyncIterator[Streams]:
    """Connect to a server that may still be starting. Raises RefusedByNatsError when it does not answer."""
    user, password = (login.user, read_password(login.password_file)) if login is not None else (None, None)
    deadline = asyncio.get_running_loop().time() + CONNECT_WITHIN_S
    while True:
        try:
            client = await connect_once(url, name="backup", user=user, password=password, ca_file=ca_file)
            break
        except (NatsError, OSError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise RefusedByNatsError(f"NATS does not answer on {url}: {error}") from None
            await asyncio.sleep(RETRY_S)
    try:
        yield Streams(client)
    finally:
        await client.close()

"""Writes what is generated from the event models: `python -m vonggac.bus.declared.generate [--check]`.

- `shared/schemas/<type>.schema.json`: JSON Schema of each event (envelope and data);
- `services/<producer>/asyncapi.json`: AsyncAPI 3 document of each service, operations from that service's view;
  that of the owner of the streams lies in `shared/setup/`.

`--check` writes nothing and exits 1 naming what is stale.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import OWNER
from vonggac.events import addresses, subjects
from vonggac.events.envelope import CONTENT_TYPE, CloudEvent, Payload
from vonggac.events.inventory import RemovedV1
from vonggac.events.registry import PAYLOADS_BY_PRODUCER

VERSION = "1.0.0"
SCHEMA_FOLDER = Path("shared/schemas")
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_INVENTORY_ADDRESS = subjects.inventory("{noun}", "{id}")
_OWN_ADDRESSES = {**addresses.OBSERVATIONS, **addresses.DEMANDS, **addresses.NOTICES}
"""Of all events but those of the register, which have one address."""
_PARAMETERS = {
    "noun": "One of "
    + ", ".join(
        model.event_type.split(".")[-2] for model in PAYLOADS_BY_PRODUCER["inventory"] if model is not RemovedV1
    )
    + ".",
    "id": "Id of the thing (UUID).",
    "camera_id": "Id of the camera (UUID).",
    "delivery_id": "Id of the delivery, one camera to one destination (UUID).",
    "facility_id": "Id of the facility (UUID).",
    "obligation_id": "Id of the obligation (UUID).",
    "report_id": "Id of the report (UUID).",
    "kind": "One of probe, scan, read_back.",
    "worker_id": "Id of one worker process, new at every start.",
    "stream": "Name of the stream; a bucket is KV_<name>.",
}
_RECEIVES: dict[str, tuple[tuple[str, str], ...]] = {
    "inventory": (),
    "setup": (),
    "prober": ((topology.PROBE_JOBS, topology.PROBER), (topology.VERIFY_JOBS, topology.VERIFIER)),
    "forwarder": ((topology.DELIVERY_JOBS, topology.FORWARDER),),
    "reporting": (
        (topology.INVENTORY, topology.REPORTING_INVENTORY),
        (topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS),
    ),
}
_JOB_ADDRESS = {
    topology.PROBE_JOBS: subjects.probe_job("{camera_id}"),
    topology.DELIVERY_JOBS: subjects.delivery_job("{camera_id}"),
    topology.VERIFY_JOBS: subjects.verify_job("{camera_id}"),
}


def schema(model: type[Payload]) -> dict[str, Any]:
    """JSON Schema of the whole message of one type."""
    document = CloudEvent[model].model_json_schema(mode="serialization")  # type: ignore[valid-type] # a class, at run time
    document["properties"]["type"] = {"const": model.event_type}
    return {"$schema": DIALECT, "$id": f"{model.event_type}.schema.json", "title": model.event_type} | {
        key: value for key, value in document.items() if key != "title"
    }


def asyncapi(service: str) -> dict[str, Any]:
    """Build the AsyncAPI document of one service."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for model in PAYLOADS_BY_PRODUCER[service]:
        address = _INVENTORY_ADDRESS if service == "inventory" else _OWN_ADDRESSES[model]
        channel = _channel(channels, address, [model])
        operations[f"publish_{_short(model)}"] = _operation("send", channel, model)
    for stream, durable in _RECEIVES[service]:
        for address, models in _stream_content(stream):
            channel = _channel(channels, address, models)
            operations[f"consume_{channel}"] = {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{channel}"},
                "x-jetstream": {"stream": stream, "durable": durable},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"Vọng Gác {service}", "version": VERSION, "license": {"name": "Apache-2.0"}},
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
    }


def documents() -> Iterator[tuple[Path, str]]:
    """Every generated file with its content, relative to the repository's root."""
    for models in PAYLOADS_BY_PRODUCER.values():
        for model in models:
            yield SCHEMA_FOLDER / f"{model.event_type}.schema.json", _text(schema(model))
    for service in PAYLOADS_BY_PRODUCER:
        yield _folder_of(service) / "asyncapi.json", _text(asyncapi(service))


def _folder_of(service: str) -> Path:
    """Find the document's folder. The owner of the streams is no service: its document lies in the library."""
    return Path("shared/setup") if service == OWNER.name else Path("services") / service


def stale(root: Path) -> list[Path]:
    """List the generated files under `root` that are missing or differ from what the models say."""
    return [path for path, text in documents() if not _holds(root / path, text)]


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def _stream_content(stream: str) -> Iterator[tuple[str, list[type[Payload]]]]:
    if stream in _JOB_ADDRESS:
        camera = next(model for model in PAYLOADS_BY_PRODUCER["inventory"] if _short(model) == "camera")
        yield _JOB_ADDRESS[stream], [camera, RemovedV1]
    elif stream == topology.INVENTORY:
        yield _INVENTORY_ADDRESS, list(PAYLOADS_BY_PRODUCER["inventory"])
    else:
        for address in dict.fromkeys(addresses.OBSERVATIONS.values()):
            yield address, [model for model, where in addresses.OBSERVATIONS.items() if where == address]


def _channel(channels: dict[str, Any], address: str, models: list[type[Payload]]) -> str:
    name = address.split(".{", maxsplit=1)[0].replace(".", "_")
    channel = channels.setdefault(name, {"address": address, "parameters": {}, "messages": {}})
    for part in address.split("{")[1:]:
        parameter = part.partition("}")[0]
        channel["parameters"][parameter] = {"description": _PARAMETERS[parameter]}
    for model in models:
        channel["messages"][_message(model)] = {
            "name": model.event_type,
            "contentType": CONTENT_TYPE,
            "summary": (model.__doc__ or model.event_type).splitlines()[0],
            "payload": {"$ref": f"../../shared/schemas/{model.event_type}.schema.json"},
        }
    return name


def _operation(action: str, channel: str, model: type[Payload]) -> dict[str, Any]:
    message = {"$ref": f"#/channels/{channel}/messages/{_message(model)}"}
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": [message]}


def _message(model: type[Payload]) -> str:
    producer, fact = model.event_type.split(".")[-3:-1]
    return f"{producer}_{fact}"


def _short(model: type[Payload]) -> str:
    return model.event_type.split(".")[-2]


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Run from the repository's root."""
    parser = argparse.ArgumentParser(prog="python -m vonggac.bus.declared.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is stale")
    root = Path.cwd()
    if parser.parse_args().check:
        if paths := stale(root):
            raise SystemExit("stale, run `make generate`: " + ", ".join(map(str, paths)))
        return
    for path, text in documents():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


if __name__ == "__main__":
    main()

"""What breaks between two states of the OpenAPI and AsyncAPI documents: for a caller, for who reads events."""

from collections.abc import Iterator, Mapping

from tests.contract.breaking.schemas import Comparison, Direction, Documents, Json

METHODS = frozenset(("get", "put", "post", "patch", "delete", "head"))


def compare_openapi(path: str, before: Documents, now: Documents) -> Iterator[str]:
    """Yield a line for each thing that breaks a caller: a route, a parameter, a field, a value, a status."""
    old, new = before.load(path), now.load(path)
    if old is None:
        return
    if new is None:
        yield f"{path}: is no longer there"
        return
    compared = _Operations(before, now)
    for address, methods in old["paths"].items():
        for method in sorted(METHODS & methods.keys()):
            name = f"{method.upper()} {address}"
            there = new["paths"].get(address, {}).get(method)
            if there is None:
                yield f"{name}: is no longer there"
            else:
                yield from compared.compare(methods[method], there, name)


class _Operations:
    def __init__(self, before: Documents, now: Documents) -> None:
        self._before, self._now = before, now
        self._schemas = Comparison(before, now)

    def compare(self, old: Json, new: Json, name: str) -> Iterator[str]:
        yield from self._parameters(old, new, name)
        yield from self._body(old, new, name)
        yield from self._answers(old, new, name)

    def _parameters(self, old: Json, new: Json, name: str) -> Iterator[str]:
        were = _by_name(self._before, old)
        are = _by_name(self._now, new)
        for parameter, place in sorted(were.keys() - are.keys()):
            yield f"{name}: the {place} parameter {parameter} is no longer taken"
        for (parameter, place), given in sorted(are.items()):
            before = were.get((parameter, place))
            if given.get("required") and not (before and before.get("required")):
                yield f"{name}: the {place} parameter {parameter} is required now"
            if before is not None and "schema" in before and "schema" in given:
                where = f"{name} {parameter}"
                yield from self._schemas.compare(before["schema"], given["schema"], where, Direction.SENT)

    def _body(self, old: Json, new: Json, name: str) -> Iterator[str]:
        was = self._before.follow(old["requestBody"]) if "requestBody" in old else {}
        there = self._now.follow(new["requestBody"]) if "requestBody" in new else {}
        if there.get("required") and not was.get("required"):
            yield f"{name}: a body is required now"
        yield from self._contents(was, there, f"{name} body", Direction.SENT)

    def _answers(self, old: Json, new: Json, name: str) -> Iterator[str]:
        """Those of success: what is wrong with a request may be said in more ways later."""
        for status in sorted(each for each in old["responses"] if each.startswith("2")):
            if status not in new["responses"]:
                yield f"{name}: never answers {status} any more"
                continue
            was, there = self._before.follow(old["responses"][status]), self._now.follow(new["responses"][status])
            yield from self._contents(was, there, f"{name} {status}", Direction.READ)

    def _contents(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[str]:
        were, are = old.get("content", {}), new.get("content", {})
        for kind in sorted(were.keys() - are.keys()):
            yield f"{where}: {kind} is no longer {'taken' if direction is Direction.SENT else 'given'}"
        for kind in sorted(were.keys() & are.keys()):
            if "schema" in were[kind] and "schema" in are[kind]:
                yield from self._schemas.compare(were[kind]["schema"], are[kind]["schema"], where, direction)


def _by_name(documents: Documents, operation: Json) -> Mapping[tuple[str, str], Json]:
    given = [documents.follow(each) for each in operation.get("parameters", ())]
    return {(each["name"], each["in"]): each for each in given}


def compare_asyncapi(path: str, before: Documents, now: Documents) -> Iterator[str]:
    """Yield a line for each thing that breaks who reads what a service sends: an address, a type, a field of an event.

    What a service receives is what another one sends.
    """
    old, new = before.load(path), now.load(path)
    if old is None:
        return
    if new is None:
        yield f"{path}: is no longer there"
        return
    schemas = Comparison(before, now)
    are = dict(_sent(now, new))
    for (address, kind), payload in _sent(before, old):
        if (address, kind) not in are:
            yield f"{kind}: is no longer sent to {address}"
        else:
            yield from schemas.compare(payload, are[address, kind], kind, Direction.READ)


def _sent(documents: Documents, document: Json) -> Iterator[tuple[tuple[str, str], Json]]:
    """Each message that a service sends: its address and type, and the schema of its payload."""
    for operation in document["operations"].values():
        if operation["action"] != "send":
            continue
        address = documents.follow(operation["channel"])["address"]
        for message in map(documents.follow, operation["messages"]):
            yield (address, message["name"]), message["payload"]

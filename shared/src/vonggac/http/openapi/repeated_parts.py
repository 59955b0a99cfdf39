"""What operations of a document repeat stands once under `components`: headers, examples, answers, parameters.

An error answer is the same in hundreds of operations. Said in each, it is half of the document.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from operator import setitem
from typing import Any, NamedTuple

type Part = dict[str, Any]

_METHODS = ("get", "put", "post", "patch", "delete")
_WORDS_IN_A_NAME = 6
_HEADERS, _EXAMPLES, _RESPONSES, _PARAMETERS = "headers", "examples", "responses", "parameters"
_EXAMPLE = "example"
_DEFAULT_DESCRIPTION = "Successful Response"
"""The framework's own: it names nothing."""


class _Use(NamedTuple):
    """A part as one operation has it: its plain name, and how to put a reference in its place."""

    name: str
    part: Part
    operation_id: str
    refer: Callable[[Part], None]


def share_repeated_parts(document: Part) -> None:
    """Move each header, example, answer and parameter that stands twice or more into `components`, and refer to it.

    The commonest of a name keeps the plain name (`404`, `limit`); another one gets the first words of its description.
    """
    operations = list(_list_operations(document))
    for kind, list_uses in _KINDS.items():
        shared = _share(kind, [use for operation in operations for use in list_uses(operation)])
        if shared:
            document.setdefault("components", {})[kind] = dict(sorted(shared.items()))


def _list_operations(document: Part) -> Iterator[Part]:
    for path in document.get("paths", {}).values():
        for method in _METHODS:
            if method in path:
                yield path[method]


def _list_headers(operation: Part) -> Iterator[_Use]:
    for response in operation[_RESPONSES].values():
        for name, header in response.get(_HEADERS, {}).items():
            yield _Use(name, header, operation["operationId"], partial(setitem, response[_HEADERS], name))


def _list_media(operation: Part) -> Iterator[Part]:
    for body in (operation.get("requestBody", {}), *operation[_RESPONSES].values()):
        yield from body.get("content", {}).values()


def _list_examples(operation: Part) -> Iterator[_Use]:
    for media in _list_media(operation):
        if isinstance(media.get(_EXAMPLE), dict | list):
            name = media["schema"].get("$ref", operation["operationId"]).rpartition("/")[2]
            yield _Use(name, {"value": media[_EXAMPLE]}, operation["operationId"], partial(_refer_to_example, media))


def _refer_to_example(media: Part, reference: Part) -> None:
    del media[_EXAMPLE]
    media[_EXAMPLES] = {_EXAMPLE: reference}


def _list_responses(operation: Part) -> Iterator[_Use]:
    for status, response in operation[_RESPONSES].items():
        yield _Use(status, response, operation["operationId"], partial(setitem, operation[_RESPONSES], status))


def _list_parameters(operation: Part) -> Iterator[_Use]:
    for index, parameter in enumerate(operation.get(_PARAMETERS, [])):
        yield _Use(
            parameter["name"], parameter, operation["operationId"], partial(setitem, operation[_PARAMETERS], index)
        )


_KINDS: Mapping[str, Callable[[Part], Iterator[_Use]]] = {
    _HEADERS: _list_headers,
    _EXAMPLES: _list_examples,
    _RESPONSES: _list_responses,
    _PARAMETERS: _list_parameters,
}
"""In this order: an answer refers to its headers and examples before it is compared with others."""


def _share(kind: str, uses: Iterable[_Use]) -> dict[str, Part]:
    alike: dict[str, list[_Use]] = defaultdict(list)
    for use in uses:
        alike[json.dumps(use.part, sort_keys=True)].append(use)
    repeated = sorted((each for each in alike.values() if len(each) > 1), key=len, reverse=True)
    shared: dict[str, Part] = {}
    for same in repeated:
        name = _name(same[0], shared.keys())
        shared[name] = same[0].part
        for use in same:
            use.refer({"$ref": f"#/components/{kind}/{name}"})
    return shared


def _name(use: _Use, taken: Iterable[str]) -> str:
    description = str(use.part.get("description", "")).replace(_DEFAULT_DESCRIPTION, "")
    words = re.findall(r"[A-Za-z0-9]+", description)[:_WORDS_IN_A_NAME]
    candidates = (
        use.name,
        f"{use.name}-{_camel(words)}",
        f"{use.name}-{use.operation_id}",
        *(f"{use.name}-{use.operation_id}-{number}" for number in range(2, 10)),
    )
    return next(each for each in candidates if each not in taken and not each.endswith("-"))


def _camel(words: Iterable[str]) -> str:
    letters = (re.sub(r"[^A-Za-z0-9]", "", word) for word in words)
    return "".join(word[:1].upper() + word[1:] for word in letters)

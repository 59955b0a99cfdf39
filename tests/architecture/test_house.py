"""The layout of the house: every service has the rooms of the plan, and only those."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture.modules import ROOT, modules, nodes, statements, tracked, tree

pytestmark = pytest.mark.usefixtures("trees")
SERVICES = ("inventory", "prober", "forwarder", "reporting")
RECORD_KEEPERS = {"inventory", "reporting"}
EVERYWHERE = {
    "__init__.py",
    "__main__.py",
    "app.py",
    "settings.py",
    "messaging.py",
    "metrics.py",
    "py.typed",
    "domain",
    "api",
}
CRAFT = {
    "inventory": {"exporting", "importing", "minutes", "nouns"},
    "prober": {"probes"},
    "forwarder": {"relay"},
    "reporting": {"documents", "feeds", "ingest", "reports", "tables", "urging"},
}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8
MANY_PARAMETERS = {
    "vonggac.bus.events.__init__": "a consumer and its patience, each with its default",
    "vonggac.http.application.new_application": "what differs between four services and the simulator",
    "vonggac.rtsp.client.connection.open": "an address and what belongs to one connection there",
}
SKIP = "  # fmt: skip"
TOP_LEVEL = {
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "pyproject.toml",
    "uv.lock",
    "docker-compose.yml",
}


PYTHON = tracked("*.py")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_rooms_of_the_plan_and_no_other(service: str) -> None:
    package = ROOT / "services" / service / "src" / service
    rooms = {path.name for path in package.iterdir()} - {"__pycache__"}
    storage = {"storage", "migrations"} if service in RECORD_KEEPERS else set()
    assert rooms == EVERYWHERE | CRAFT[service] | storage


def test_the_library_names_its_parts() -> None:
    rows = re.findall(
        r"^\| `([a-z]+)[`/]", (ROOT / "shared/README.md").read_text("utf-8").partition("## Signals")[0], re.MULTILINE
    )
    inside = (ROOT / "shared/src/vonggac").glob("[a-z]*")
    assert set(rows) == {path.stem for path in inside if path.is_dir() or path.suffix == ".py"}


def test_contributing_names_every_craft() -> None:
    (line,) = [each for each in (ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines() if "its craft " in each]
    named = {
        service: set(re.findall(r"(\w+)/", rooms)) for service, rooms in re.findall(r"(\w+): ((?:\w+/(?:, )?)+)", line)
    }
    assert named == CRAFT


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_explains_itself(service: str) -> None:
    package = ROOT / "services" / service / "src" / service
    owns = ast.get_docstring(tree(package / "__init__.py")) or ""
    order = ast.get_docstring(tree(package / "app.py")) or ""
    assert re.search("own", owns, re.IGNORECASE)
    assert re.search("start", order, re.IGNORECASE)
    assert re.search("stop", order, re.IGNORECASE)
    assert (ROOT / "services" / service / "README.md").exists()


def test_the_fixed_top_level_is_there() -> None:
    assert {name for name in TOP_LEVEL if not (ROOT / name).exists()} == set()
    for folder in (
        "shared",
        "services",
        "simulator",
        "local",
        "console",
        "bench",
        "tests",
        "docs",
        "deploy/k8s",
        "deploy/docker",
    ):
        assert (ROOT / folder).is_dir()


def test_files_stay_readable() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in PYTHON}
    assert {name: count for name, count in lines.items() if count > MAX_FILE_LINES} == {}


SIGNALS = {"methods": 20, "attributes": 20, "imports": 25, "lines": 300}
"""From so many on a class or a module is asked what it is two of. Caps stand above two of them: what reaches a cap has
been cut to fit it, and says nothing."""
REVIEWED: dict[str, dict[str, list[str]]] = tomllib.loads((Path(__file__).parent / "reviewed.toml").read_text("utf-8"))


def attributes_of(cls: ast.ClassDef) -> set[str]:
    """The names that a class sets on `self`. A record, whose fields are declared, is as wide as its document."""
    return {
        node.attr
        for node in ast.walk(cls)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    }


def measures(name: str, path: Path) -> Iterator[tuple[str, str, int]]:
    """Each class and the module itself with what is counted of it: signal, dotted name, count."""
    modules_imported: set[str] = set()
    for node in statements(path):
        if isinstance(node, ast.Import):
            modules_imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules_imported.add(str(node.module))
        elif isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
            yield "methods", f"{name}.{node.name}", len(methods)
            yield "attributes", f"{name}.{node.name}", len(attributes_of(node))
    yield "imports", name, len(modules_imported)
    yield "lines", name, len(path.read_text("utf-8").splitlines())


def test_a_class_or_module_that_reaches_a_signal_was_asked_what_it_is_two_of() -> None:
    found: dict[str, dict[str, int]] = {signal: {} for signal in SIGNALS}
    for module, path in modules().items():
        for signal, name, count in measures(module, path):
            if count >= SIGNALS[signal]:
                found[signal][name] = count
    for signal, least in SIGNALS.items():
        listed = [name for names in REVIEWED[signal].values() for name in names]
        new = {name: count for name, count in found[signal].items() if name not in listed}
        assert new == {}, f"{least} {signal} or more: split what it is two of, or say in reviewed.toml why it is one"
        gone = sorted(set(listed) - found[signal].keys())
        assert gone == [], f"fewer than {least} {signal} by now: take it off the list in reviewed.toml"
        assert len(listed) == len(set(listed)), "a class or module has one reason"


def test_functions_stay_readable() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in PYTHON
        for node in statements(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_what_travels_together_is_a_value() -> None:
    """A function has eight parameters at most. Those of a route are the parameters of its HTTP request."""
    many = {
        f"{name}.{node.name}"
        for name, path in modules().items()
        if ".api." not in name and not name.startswith("bench.")
        for node in statements(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and len({each.arg for each in (*node.args.args, *node.args.kwonlyargs)} - {"self", "cls"}) > MAX_PARAMETERS
    }
    assert many == set(MANY_PARAMETERS)


COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
COPIES = {"set", "frozenset", "list", "tuple", "dict", "sorted"}


def steps(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Iterator[ast.AST]:
    """What a comprehension evaluates anew for each of its elements."""
    yield from (condition for loop in node.generators for condition in loop.ifs)
    yield from (loop.iter for loop in node.generators[1:])
    yield from (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)


def is_made_there(node: ast.expr) -> bool:
    """Whether an expression makes a container of others: `a - b`, `set(a)`, `{x.id for x in a}`."""
    of_copy = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COPIES
    return of_copy or isinstance(node, (ast.BinOp, *COMPREHENSIONS))


def made_again(text: ast.AST) -> Iterator[str]:
    """Each `x in a - b` of a comprehension in which nothing of `a - b` is its own."""
    if not isinstance(text, COMPREHENSIONS):
        return
    own = {name.id for loop in text.generators for name in ast.walk(loop.target) if isinstance(name, ast.Name)}
    for node in (node for step in steps(text) for node in ast.walk(step)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            (asked, *_) = node.comparators
            names = {name.id for name in ast.walk(asked) if isinstance(name, ast.Name)}
            if is_made_there(asked) and not names & own:
                yield ast.unparse(node)


def test_no_container_is_made_for_each_element_that_is_searched_in_it() -> None:
    """With `each.id in new - touched` of each row an import was taken back in time that grew with their square."""
    seeded = ast.parse("[x for x in a if x.id in b - c]; {x for x in a if x not in sorted(x.b)}").body
    assert [each for line in seeded for node in ast.walk(line) for each in made_again(node)] == ["x.id in b - c"]
    found = {f"{name}: {each}" for name, path in modules().items() for node in nodes(path) for each in made_again(node)}
    assert found == set()


def exported(package: Path) -> set[str]:
    """The names of a package's `__all__`."""
    lists = [
        node.value
        for node in statements(package)
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]
    ]
    return {str(name) for value in lists for name in ast.literal_eval(value)}


def test_what_a_package_exports_somebody_imports_from_it() -> None:
    imported = {
        (node.module, alias.name)
        for path in PYTHON
        for node in statements(path)
        if isinstance(node, ast.ImportFrom) and not node.level
        for alias in node.names
    }
    packages = {name: path for name, path in modules().items() if path.name == "__init__.py"}
    unused = {
        f"{name}: {each}" for name, path in packages.items() for each in exported(path) if (name, each) not in imported
    }
    assert unused == set()


def test_there_is_no_junk_drawer() -> None:
    names = {part for path in PYTHON for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}
    assert names & {"utils", "util", "common", "helpers", "helper", "misc", "stuff"} == set()


def test_only_a_delayed_nak_is_used() -> None:
    bare = re.compile(r"\.nak\(\s*\)")
    assert [str(path) for path in PYTHON if path != Path(__file__) and bare.search(path.read_text("utf-8"))] == []


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a machine and no registry host in what people read or run (the lock file names its registry)."""
    foreign = re.compile(
        r"(?<![\w./-])/(?:work|root|home)/\w|pypi\.org|pythonhosted|docker\.io|ghcr\.io|registry\.npmjs"
    )
    texts = [path for path in tracked() if path.suffix in {".py", ".md", ".toml", ".yml", ".yaml", ".sh", ""}]
    found = [str(path.relative_to(ROOT)) for path in texts if foreign.search(path.read_text("utf-8", "ignore"))]
    assert [name for name in found if name != str(Path(__file__).relative_to(ROOT))] == []


def is_plain(value: ast.expr) -> bool:
    """Whether it is a constant, a name, or made of these."""
    match value:
        case ast.Constant() | ast.Name() | ast.Attribute():
            return True
        case ast.List(elts=parts) | ast.Set(elts=parts) | ast.Tuple(elts=parts):
            return all(map(is_plain, parts))
        case ast.Dict():
            return all(map(is_plain, (*filter(None, value.keys), *value.values)))
        case ast.Starred(value=inner) | ast.UnaryOp(operand=inner):
            return is_plain(inner)
        case ast.BinOp(left=left, right=right):
            return is_plain(left) and is_plain(right)
        case _:
            return False


def is_row(value: ast.expr) -> bool:
    """Whether it is plain, or a tuple on a line of its own."""
    return is_plain(value) or (isinstance(value, ast.Tuple) and value.lineno == value.end_lineno)


def is_table(literal: ast.expr) -> bool:
    """Whether it is a literal of several lines with text in it, whose elements are plain or rows."""
    match literal:
        case ast.List(elts=rows) | ast.Set(elts=rows) | ast.Tuple(elts=rows):
            pass
        case ast.Dict(values=rows):
            pass
        case _:
            return False
    has_text = any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in ast.walk(literal))
    return has_text and all(map(is_row, rows))


def wrong_lines(text: str) -> list[int]:
    """Return the lines, from 1 on, that ruff shall not format though they close no table."""
    lines = text.splitlines()
    skipped = [number for number, line in enumerate(lines, 1) if line.endswith(SKIP)]
    if not skipped:
        return []
    tables = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.expr) and is_table(node)]
    ends = {table.end_lineno for table in tables if table.end_lineno != table.lineno}
    # A table may be an argument: `frozenset(` and `)` around it.
    return [number for number in skipped if not {number, number - 1} & ends]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('A = [\n    "a", "b",\n    "c",\n]  # fmt: skip\n', []),
        ('A = frozenset({\n    "a", "b",\n})  # fmt: skip\n', []),
        ('A = {\n    "a": ("b", csv("c"), 1),\n}  # fmt: skip\n', []),
        ('A = [\n    1, 2,\n]  # fmt: skip\n', [3]),
        ('A = call(\n    "a", b,\n)  # fmt: skip\n', [3]),
        ('A = {\n    "a": call("b"),\n}  # fmt: skip\n', [3]),
        ('def a(\n    b, c,\n) -> None:  # fmt: skip\n    pass\n', [3]),
    ],
)  # fmt: skip
def test_a_table_of_text_is_told_from_a_call(text: str, wrong: list[int]) -> None:
    assert wrong_lines(text) == wrong


def test_only_tables_of_text_are_formatted_by_hand() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: `# fmt: skip` is for tables of text: let ruff format this"
        for path in tracked("*.py")
        for line in wrong_lines(path.read_text("utf-8"))
    ]
    assert wrong == []

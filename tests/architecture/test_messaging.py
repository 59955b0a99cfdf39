"""Facts about the bus stand in one place: subjects in one module, and in each service one module that knows them."""

import ast
import re
from pathlib import Path

import pytest
from tests.architecture.modules import nodes, statements

from vonggac.bus.declared import topology
from vonggac.events import subjects

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("trees")
SERVICES = ("inventory", "prober", "forwarder", "reporting")
SUBJECTS = ROOT / "shared/src/vonggac/events/subjects.py"
PERMISSIONS = (
    ROOT / "shared/src/vonggac/bus/declared/permissions.py",
    ROOT / "shared/tests/bus/declared/test_permissions.py",
    ROOT / "shared/tests/bus/declared/hostile_logins.py",
    ROOT / "shared/tests/bus/declared/test_accounts.py",
    ROOT / "shared/tests/bus/declared/test_reply_subjects.py",
)
"""Who may use JetStream's own subjects, and the matrix that tries them one by one."""
BELOW_MESSAGING = {"domain", "settings", "metrics"}
"""What of its own service `messaging.py` may import."""
SOURCES = [
    path
    for folder in ("shared", "services", "bench", "console", "local", "simulator", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
BEGINNINGS = (
    "observation.", "inventory.", "probe.job.", "delivery.job.", "verify.job.", "dead.", "demand.", "notice.",
    "prober.probe_lock.", "forwarder.adopt.", "forwarder.camera.", "forwarder.read_back_hint.", "forwarder.worker.",
    "$KV.", "$JS.", "kv.", "stored.", "replay.",
)  # fmt: skip
QUOTED_BEGINNING = re.compile("[\"'](?:" + "|".join(re.escape(beginning) for beginning in BEGINNINGS) + ")")
"""Only files in which this stands are read as syntax trees."""
SUBJECT = re.compile(
    r"(?:observation\.(?:\w+\.)?|inventory\.(?:\w+\.)?|(?:probe|delivery|verify)\.job\.|dead\.|demand\.|notice\.(?:\w+\.)?|prober\.probe_lock\."
    r"|forwarder\.(?:adopt|camera|read_back_hint|worker)\.)[{*>]|\$(?:KV|JS)\.|(?:kv|stored|replay(?:\.observation)?)\.[{*>]"
)


def imports(path: Path) -> set[str]:
    """Modules, and names of modules, that a file imports."""
    found = set()
    for node in statements(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def texts(path: Path) -> list[str]:
    """The string literals of a file without its docstrings; what is filled into an f-string shows as `{}`."""
    parts: set[int] = set()
    found = []
    # Outer nodes come first, so a statement or an f-string is known before what it holds.
    for node in nodes(path):
        if isinstance(node, ast.Expr):
            parts.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            parts.update(id(value) for value in node.values)
        if id(node) in parts:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            found.append("".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values))
    return found


def test_no_module_but_subjects_spells_a_subject() -> None:
    others = [path for path in SOURCES if path not in {SUBJECTS, *PERMISSIONS, Path(__file__)}]
    suspects = [path for path in others if QUOTED_BEGINNING.search(path.read_text("utf-8"))]
    spelled = {(str(path.relative_to(ROOT)), text) for path in suspects for text in texts(path) if SUBJECT.match(text)}
    assert spelled == set()


def test_the_pattern_knows_every_subject() -> None:
    spelled = [text for text in texts(SUBJECTS) if "." in text]
    assert len(spelled) > 15
    assert [text for text in spelled if not SUBJECT.match(text)] == []
    assert [text for text in spelled if not QUOTED_BEGINNING.match(f"'{text}")] == []


@pytest.mark.parametrize("service", SERVICES)
def test_messaging_alone_knows_subjects(service: str) -> None:
    package = ROOT / "services" / service / "src" / service
    knowing = {str(path.relative_to(package)) for path in package.rglob("*.py") if _knows_subjects(path)}
    assert knowing <= {"messaging.py"}


@pytest.mark.parametrize("service", SERVICES)
def test_messaging_imports_nothing_above_itself(service: str) -> None:
    own = {
        name.split(".")[1]
        for name in imports(ROOT / "services" / service / "src" / service / "messaging.py")
        if name.startswith(f"{service}.")
    }
    assert own <= BELOW_MESSAGING


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", sorted(BELOW_MESSAGING))
def test_what_messaging_may_import_imports_nothing_above_it(service: str, part: str) -> None:
    package = ROOT / "services" / service / "src" / service
    if f"{service}.{part}" not in imports(package / "messaging.py"):
        return
    files = (package / part).rglob("*.py") if (package / part).is_dir() else [package / f"{part}.py"]
    own = {name.split(".")[1] for path in files for name in imports(path) if name.startswith(f"{service}.")}
    assert own <= BELOW_MESSAGING


def test_the_streams_take_exactly_what_is_published() -> None:
    taken = {str(stream.name): stream.subjects for stream in topology.streams(1)}
    assert taken[topology.INVENTORY] == [subjects.inventory("*", "*")]
    assert taken[topology.OBSERVATIONS] == [subjects.OBSERVATIONS, subjects.REPLAYS]
    assert subjects.replay(subjects.OBSERVATIONS) == subjects.REPLAYS
    assert taken[topology.NOTICES] == [subjects.NOTICES]
    assert taken[topology.DEMANDS] == [subjects.DEMANDS]
    assert subjects.demand("scan").startswith(subjects.DEMANDS.removesuffix(">"))
    assert subjects.notice("outage", "a").startswith(subjects.NOTICES.removesuffix(">"))
    prefix = subjects.OBSERVATIONS.removesuffix(">")
    facts = (
        subjects.camera_observation("a"),
        subjects.camera_media_observation("a"),
        subjects.delivery_observation("a"),
        subjects.delivery_verification("a", "b"),
        subjects.site_observation("a"),
        subjects.worker_heartbeat("prober", "a"),
    )
    assert all(fact.startswith(prefix) for fact in facts)


def _knows_subjects(path: Path) -> bool:
    return any(name.startswith("vonggac.events.subjects") for name in imports(path))

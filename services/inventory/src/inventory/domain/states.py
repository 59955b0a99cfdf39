"""State machines as pure tables: one table gives the check, the words of a refusal, the documentation and the tests.

A transition names its guards: conditions that must hold for it (`briefing_done`). Who decides a guard is the noun's own
rule; the table only knows its name and its sentence. Guards fail closed: one that nobody decided does not hold.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

REASON = "reason"
"""Guard of every transition that an official will be asked about: the caller gives a reason."""
REASON_NEEDED = "a reason is given"
REASON_NEEDED_VI = "nêu lý do"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one transition is not made. `missing` is empty when the table does not have the transition at all."""

    noun: str
    current: StrEnum
    target: StrEnum
    allowed: tuple[StrEnum, ...]
    missing: tuple[str, ...]
    needs: tuple[str, ...]
    vietnamese: str
    """The sentence for a file's author: `đang «đã giao», không chuyển thành «đã duyệt» được; …`."""

    @property
    def detail(self) -> str:
        """One sentence for the answer 409: `a survey that is assigned cannot become approved; allowed: scheduled`."""
        noun = self.noun.replace("_", " ")
        refused = f"{_article(noun)} {noun} that is {self.current} cannot become {self.target}"
        if self.missing:
            return f"{refused} until {', and '.join(self.needs)}"
        return f"{refused}; allowed: {', '.join(self.allowed) or 'nothing, it is final'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachine[State: StrEnum]:
    """The states of one noun and the transitions between them.

    `transitions` has every state as a key; a state without targets is final. `guards` gives every guard its sentence:
    what must hold. `vietnamese` gives every state its word in files and reports, `vietnamese_guards` every guard its
    sentence there. Raises ValueError when the table has a hole.
    """

    noun: str
    states: type[State]
    initial: State
    transitions: Mapping[State, Mapping[State, tuple[str, ...]]]
    vietnamese: Mapping[State, str]
    guards: Mapping[str, str] = field(default_factory=dict)
    vietnamese_guards: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a table with a state, word, guard or path missing."""
        for problem in self._holes():
            msg = f"state machine of {self.noun}: {problem}"
            raise ValueError(msg)

    @property
    def final(self) -> tuple[State, ...]:
        """The states that nothing leaves."""
        return tuple(state for state in self.states if not self.transitions[state])

    def allowed(self, current: State) -> tuple[State, ...]:
        """Where it may go from `current`, as far as the table decides; guards may still refuse."""
        return tuple(self.transitions[current])

    def needed(self, current: State, target: State) -> tuple[str, ...]:
        """Names of the guards of one transition. Raises KeyError when the table does not have it."""
        return self.transitions[current][target]

    def check(self, current: State, target: State, met: Collection[str] = ()) -> Refusal | None:
        """None when `target` may follow `current` and every guard of the transition is among `met`; else why not."""
        allowed = self.allowed(current)
        words = f"đang «{self.vietnamese[current]}», không chuyển thành «{self.vietnamese[target]}» được"
        if target not in allowed:
            choices = ", ".join(f"«{self.vietnamese[state]}»" for state in allowed)
            right = f"chỉ chuyển được thành: {choices}" if choices else "đây là trạng thái cuối cùng"
            return Refusal(self.noun, current, target, allowed, (), (), f"{words}; {right}")
        missing = tuple(name for name in self.needed(current, target) if name not in met)
        if not missing:
            return None
        needs = tuple(self.sentence(name) for name in missing)
        needs_vi = "; ".join(REASON_NEEDED_VI if name == REASON else self.vietnamese_guards[name] for name in missing)
        return Refusal(self.noun, current, target, allowed, missing, needs, f"{words}; cần: {needs_vi}")

    def sentence(self, guard: str) -> str:
        """Return what a guard demands."""
        return REASON_NEEDED if guard == REASON else self.guards[guard]

    def rows(self) -> Iterator[tuple[State, State, tuple[str, ...]]]:
        """Every transition of the table: from, to, names of its guards."""
        for current, targets in self.transitions.items():
            for target, guards in targets.items():
                yield current, target, guards

    def _holes(self) -> Iterator[str]:
        for state in self.states:
            if state not in self.transitions:
                yield f"no transitions of {state}"
            if not self.vietnamese.get(state):
                yield f"no Vietnamese word for {state}"
        used = {guard for _, _, guards in self.rows() for guard in guards} - {REASON}
        for guard in sorted(used ^ set(self.guards)):
            yield f"guard {guard} is {'not described' if guard in used else 'never used'}"
        for guard in sorted(set(self.guards) - set(self.vietnamese_guards)):
            yield f"no Vietnamese sentence for guard {guard}"
        for current, target, _ in self.rows():
            if current == target:
                yield f"{current} leads to itself"
        for state in sorted(set(self.states) - self._reachable()):
            yield f"{state} cannot be reached"

    def _reachable(self) -> set[State]:
        reached, open_states = {self.initial}, [self.initial]
        while open_states:
            for target in self.transitions.get(open_states.pop(), {}):
                if target not in reached:
                    reached.add(target)
                    open_states.append(target)
        return reached


def render_mermaid[State: StrEnum](machine: StateMachine[State]) -> str:
    """Render the machine as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {machine.initial}"]
    for current, target, guards in machine.rows():
        lines.append(f"    {current} --> {target}" + (f" : {', '.join(guards)}" if guards else ""))
    lines += [f"    {state} --> [*]" for state in machine.final]
    return "\n".join(lines)


def render_markdown[State: StrEnum](machine: StateMachine[State]) -> str:
    """Render the machine as a Markdown table: each state, its Vietnamese word, where it may go and what that needs."""
    lines = ["| state | in Vietnamese | may become | needs |", "|---|---|---|---|"]
    for state in machine.states:
        name, word = f"`{state}`", machine.vietnamese[state]
        if not machine.transitions[state]:
            lines.append(f"| {name} | {word} | nothing: it is final | |")
        for target, guards in machine.transitions[state].items():
            lines.append(f"| {name} | {word} | `{target}` | {'; '.join(map(machine.sentence, guards))} |")
            name = word = ""
    return "\n".join(lines)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"

"""`vonggac COMMAND …`, also `python -m vonggac COMMAND …`: the commands of the packages that are installed here.

A package declares them as entry points of the group `vonggac.commands`; each reads `sys.argv` itself. So one program
has `report` where reporting is, `backup` and `restore` where the local platform is, and all of them in a checkout.
Exit status: the command's; 2 for one that is not here.
"""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points

GROUP = "vonggac.commands"


def main() -> int:
    """Run the command that the first argument names."""
    commands = {command.name: command for command in entry_points(group=GROUP)}
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in commands:
        out = sys.stdout if name in {"-h", "--help"} else sys.stderr
        out.write(f"usage: vonggac COMMAND …\ncommands installed here: {', '.join(sorted(commands))}\n")
        return 0 if out is sys.stdout else 2
    work: Callable[[], int | None] = commands[name].load()
    return work() or 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m vonggac.children.start MODULE ARGUMENTS`: gives up all files but the code, then runs MODULE as a program.

Before MODULE loads anything: a library may start a thread when it is loaded, and Landlock would not hold for that one.
"""

import runpy
import sys

from vonggac.children.limits import let_kernel_end_first
from vonggac.children.sandbox import give_up_files


def main() -> None:
    """Run the module with its arguments, as `python -m MODULE ARGUMENTS` does."""
    # It writes a file.
    let_kernel_end_first()
    give_up_files()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

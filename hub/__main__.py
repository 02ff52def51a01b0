"""The command `dxhub`. `python -m hub` is the same program."""

import gc
import importlib
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the process's exit code.

    What loads lives as long as the process. Nothing of it is garbage, so the collector neither looks for any while it
    loads (a quarter of the time), nor ever after, nor copies its pages in a receiver that was forked.
    """
    gc.disable()
    commands = importlib.import_module("hub.commands")
    gc.freeze()
    gc.enable()
    return int(commands.main(argv))


if __name__ == "__main__":
    sys.exit(main())

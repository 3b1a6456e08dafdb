"""symbols.txt, read: what Android's system libraries are known to export.

Knows nothing of ELF: elf.py does.
"""

from pathlib import Path
from typing import NamedTuple

SYMBOLS = Path(__file__).with_name("symbols.txt")


class Symbol(NamedTuple):
    """An exported name. The reason is empty where shipped binaries are the evidence."""

    is_data: bool
    reason: str


def read(path: Path = SYMBOLS) -> dict[str, dict[str, Symbol]]:
    """The names of each library: `[libc.so]`, then a line `NAME [data] [# reason]` for each."""
    libraries: dict[str, dict[str, Symbol]] = {}
    names: dict[str, Symbol] = {}
    for line in path.read_text().splitlines():
        line, _, reason = line.partition("#")
        words = line.split()
        if line.startswith("["):
            names = libraries.setdefault(line.strip().strip("[]"), {})
        elif words:
            names[words[0]] = Symbol("data" in words[1:], reason.strip())
    return libraries

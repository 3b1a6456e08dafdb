"""Holds a built library to what a phone asks of it, and prints what was found.

    check.py [--at-most BYTES] [--foreign PATH]... LIBRARY

Source: Android's notes on 16 KiB pages, and symbols.txt. Knows nothing of what the library does when it runs.
"""

import argparse
import re
import sys
from pathlib import Path

import elf
import symbols

PAGE = 16 * 1024
SYSTEM_LIBRARIES = {"libc.so", "libm.so", "libdl.so", "liblog.so", "libOpenSLES.so", "libaaudio.so", "libandroid.so"}

# What the app calls: what Java finds by name, and uniffi's question whether bindings and library agree.
WANTED_EXPORTS = ("JNI_OnLoad|Java_.+", "ffi_.+_uniffi_contract_version")


class Report:
    def __init__(self) -> None:
        self.faults = 0

    def say(self, holds: bool, what: str) -> None:
        self.faults += not holds
        print(f"  {'ok   ' if holds else 'FAULT'} {what}")


def check_pages(library: elf.Library, report: Report) -> None:
    loads = [segment for segment in library.segments if segment.kind == elf.PT_LOAD]
    aligned = [s for s in loads if s.align % PAGE == 0 and (s.address - s.offset) % PAGE == 0]
    report.say(len(aligned) == len(loads) > 0, f"{len(aligned)} of {len(loads)} segments on 16 KiB pages")


def check_needs(library: elf.Library, report: Report) -> None:
    foreign = sorted(set(library.needed) - SYSTEM_LIBRARIES)
    report.say(not foreign, f"needs {' '.join(library.needed)}")
    if foreign:
        print(f"        not Android's own: {' '.join(foreign)}")


def check_imports(library: elf.Library, report: Report) -> None:
    known = {name: symbol for names in symbols.read().values() for name, symbol in names.items()}
    names = {wanted.name for wanted in library.imports}
    unknown = sorted(wanted.name for wanted in library.imports if wanted.name not in known and not wanted.is_weak)
    reviewed = sorted(name for name in names & known.keys() if known[name].reason)
    report.say(not unknown, f"{len(names)} imports, of which {len(reviewed)} reviewed by hand: {' '.join(reviewed)}")
    if unknown:
        print(f"        seen in no shipped Android binary, and not in symbols.txt: {' '.join(unknown)}")


def check_exports(library: elf.Library, report: Report) -> None:
    for wanted in WANTED_EXPORTS:
        found = [name for name in library.exports if re.fullmatch(wanted, name)]
        report.say(bool(found), f"exports {' '.join(found) or 'no ' + wanted}")


def check_paths(library: elf.Library, foreign: list[str], report: Report) -> None:
    found = sorted({
        match.group().decode(errors="replace")
        for path in foreign
        for match in re.finditer(re.escape(path.encode()) + rb"[!-~]{0,80}", library.bytes)
    })  # fmt: skip
    report.say(not found, f"names {len(found)} paths of this machine")
    for path in found[:5]:
        print(f"        {path}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--at-most", type=int, help="the most bytes it may have")
    parser.add_argument("--foreign", action="append", default=[], help="a path of this machine that it may not name")
    parser.add_argument("library", type=Path)
    asked = parser.parse_args()

    library, report, size = elf.Library(asked.library), Report(), asked.library.stat().st_size
    print(f"{asked.library.name} for {library.machine}")
    limit = f", at most {asked.at_most}" if asked.at_most else ""
    report.say(not asked.at_most or size <= asked.at_most, f"{size} bytes{limit}")
    check_pages(library, report)
    check_needs(library, report)
    check_imports(library, report)
    check_exports(library, report)
    check_paths(library, asked.foreign, report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes libraries with bionic's names whose functions are glibc's, so that an x86_64 Android library runs here.

    shim.py LIBRARY OUT     then load LIBRARY with OUT in LD_LIBRARY_PATH

Each library that LIBRARY needs is made with the names it imports, under bionic's versions: a jump to the function of
that name in glibc, or to shim_NAME in shim.c where the two differ. For trying our own code out: what runs is the
Android library, unchanged, and what answers it is glibc, so it proves nothing about bionic.
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import elf
import symbols

HERE = Path(__file__).parent
OURS = HERE / "shim.c"

# Variables that hold a pointer. A copy is enough: glibc moves none of them unless a program changes its environment.
COPIED = {"environ", "stderr", "stdin", "stdout"}


def homes(library: elf.Library) -> dict[str, list[elf.Import]]:
    """Which needed library each import is looked for in: its version says, or else symbols.txt."""
    listed = {name: home for home, names in symbols.read().items() for name in names}
    found: dict[str, list[elf.Import]] = {need: [] for need in library.needed}
    for wanted in library.imports:
        home = wanted.library or listed.get(wanted.name)
        if home in found:
            found[home].append(wanted)
        elif not wanted.is_weak:
            sys.exit(f"shim: no library is known to have {wanted.name}")
    return found


def jump(wanted: elf.Import, target: str) -> str:
    """NAME@VERSION, which is not the default version, so that NAME itself still means glibc's."""
    name = f"{wanted.name}@{wanted.version}" if wanted.version else wanted.name
    label = f"to_{wanted.name}" if wanted.version else wanted.name
    version = f".symver {label}, {name}, remove\n" if wanted.version else ""
    return f".globl {label}\n.type {label}, @function\n{label}: jmp {target}@PLT\n{version}"


def variable(wanted: elf.Import) -> str:
    """Room for a copy of glibc's pointer, taken when the library is loaded."""
    label, version = wanted.name, ""
    if wanted.version:
        label = f"to_{wanted.name}"
        version = f".symver {label}, {wanted.name}@{wanted.version}, remove\n"
    room = f".data\n.p2align 3\n.globl {label}\n.type {label}, @object\n.size {label}, 8\n{label}:\n0: .quad 0\n"
    copy = ""
    if wanted.name in COPIED:
        copy = (f".text\n1: movq {wanted.name}@GOTPCREL(%rip), %rax\n movq (%rax), %rax\n movq %rax, 0b(%rip)\n ret\n"
                '.section .init_array, "aw"\n.quad 1b\n')  # fmt: skip
    return f"{room}{version}{copy}.text\n"


def make(home: str, wanted: list[elf.Import], own: set[str], out: Path) -> None:
    data = {name for names in symbols.read().values() for name, symbol in names.items() if symbol.is_data}
    lines, versions = [".text"], defaultdict(list)
    for each in sorted(wanted):
        target = f"shim_{each.name}" if each.name in own else each.name
        lines.append(variable(each) if each.name in data else jump(each, target))
        versions[each.version].append(each.name)
    assembly, script = out / f"{home}.s", out / f"{home}.map"
    assembly.write_text("\n".join(lines) + '\n.section .note.GNU-stack, "", @progbits\n')
    flags = ["-Wl,-z,defs", f"-Wl,-soname,{home}", "-Wl,--no-as-needed"]
    named = [version for version in versions if version]
    if named:
        script.write_text("".join(f"{version} {{}};\n" for version in named))
        flags.append(f"-Wl,--version-script={script}")
    cc("-nostdlib", assembly, "-o", out / home, *flags, out / "libshim.so", "-lm", "-lc")
    print(f"  {home}: {len(wanted)} names, of them ours: {' '.join(e.name for e in wanted if e.name in own) or 'none'}")


def cc(*words: object) -> None:
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", *map(str, words)], check=True)


def main() -> None:
    library, out = elf.Library(Path(sys.argv[1])), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    own = set(re.findall(r"\bshim_(\w+)\(", OURS.read_text()))
    cc("-Wall", "-Wextra", OURS, "-o", out / "libshim.so", "-Wl,-soname,libshim.so", "-Wl,-z,defs")
    for home, wanted in homes(library).items():
        make(home, wanted, own, out)
    # oboe looks for this one when it runs.
    cc("-Wall", "-Wextra", HERE / "aaudio.c", "-o", out / "libaaudio.so", "-Wl,-soname,libaaudio.so", "-Wl,-z,defs")
    for scrap in [*out.glob("*.s"), *out.glob("*.map")]:
        scrap.unlink()


if __name__ == "__main__":
    main()

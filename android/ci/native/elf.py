"""A 64-bit little-endian shared library, as far as the dynamic linker reads it: segments, needs, names.

Source: the System V ABI's chapters on object files and dynamic linking, and GNU's symbol versions. It goes by the
dynamic segment alone, as the linker on a phone does: sections may have been stripped.
"""

import struct
from pathlib import Path
from typing import NamedTuple

MACHINES = {62: "x86_64", 183: "aarch64"}

PT_LOAD, PT_DYNAMIC = 1, 2
DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_SONAME = 1, 4, 5, 6, 14
DT_GNU_HASH, DT_VERSYM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF
STT_OBJECT, STB_WEAK = 1, 2


class Segment(NamedTuple):
    kind: int
    offset: int
    address: int
    file_size: int
    align: int


class Import(NamedTuple):
    """A name the library wants; the library and version it wants it from, where the linker wrote them down."""

    name: str
    library: str | None
    version: str | None
    is_data: bool
    is_weak: bool


class Library:
    """One library, read whole."""

    def __init__(self, path: Path) -> None:
        self.bytes = path.read_bytes()
        if self.bytes[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        self.machine = MACHINES[self.unpack("H", 18)[0]]
        start, size, count = self.unpack("Q", 32)[0], *self.unpack("HH", 54)
        self.segments = []
        for at in range(start, start + size * count, size):
            kind, _, offset, address, _, file_size, _, align = self.unpack("IIQQQQQQ", at)
            self.segments.append(Segment(kind, offset, address, file_size, align))

        self.dynamic: list[tuple[int, int]] = []
        table = next(segment for segment in self.segments if segment.kind == PT_DYNAMIC)
        for at in range(table.offset, table.offset + table.file_size, 16):
            tag, value = self.unpack("QQ", at)
            if tag == 0:
                break
            self.dynamic.append((tag, value))
        self.needed = [self.string(value) for tag, value in self.dynamic if tag == DT_NEEDED]
        self.imports, self.exports = self.symbols()

    def unpack(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from("<" + form, self.bytes, at)

    def tag(self, wanted: int) -> int | None:
        return next((value for tag, value in self.dynamic if tag == wanted), None)

    def file_offset(self, address: int) -> int:
        for kind, offset, start, size, _ in self.segments:
            if kind == PT_LOAD and start <= address < start + size:
                return offset + address - start
        raise ValueError(f"nothing is loaded at {address:#x}")

    def string(self, index: int) -> str:
        start = self.file_offset(self.tag(DT_STRTAB)) + index
        return self.bytes[start : self.bytes.index(b"\0", start)].decode()

    def symbol_count(self) -> int:
        """The dynamic segment does not say; the hash tables end with the last symbol."""
        if (table := self.tag(DT_HASH)) is not None:
            return self.unpack("II", self.file_offset(table))[1]
        at = self.file_offset(self.tag(DT_GNU_HASH))
        buckets, first, bloom, _ = self.unpack("IIII", at)
        at += 16 + 8 * bloom
        last = max(self.unpack(f"{buckets}I", at))
        chains = at + 4 * buckets
        while last >= first and not self.unpack("I", chains + 4 * (last - first))[0] & 1:
            last += 1
        return last + 1 if last >= first else first

    def versions(self) -> dict[int, tuple[str, str]]:
        """The library and version behind each index of the version table."""
        found: dict[int, tuple[str, str]] = {}
        if (table := self.tag(DT_VERNEED)) is None:
            return found
        at = self.file_offset(table)
        for _ in range(self.tag(DT_VERNEEDNUM)):
            _, count, file, entry, following = self.unpack("HHIII", at)
            entry += at
            for _ in range(count):
                _, _, index, name, after = self.unpack("IHHII", entry)
                found[index] = (self.string(file), self.string(name))
                entry += after
            at += following
        return found

    def symbols(self) -> tuple[list[Import], list[str]]:
        table, versions = self.file_offset(self.tag(DT_SYMTAB)), self.versions()
        marks = self.tag(DT_VERSYM)
        imports, exports = [], []
        for index in range(1, self.symbol_count()):
            name, info, _, section, _, _ = self.unpack("IBBHQQ", table + 24 * index)
            if section:
                exports.append(self.string(name))
                continue
            mark = self.unpack("H", self.file_offset(marks) + 2 * index)[0] & 0x7FFF if marks else 0
            library, version = versions.get(mark, (None, None))
            imports.append(Import(self.string(name), library, version, info & 15 == STT_OBJECT, info >> 4 == STB_WEAK))
        return imports, exports

#!/usr/bin/env python3
"""Packs an APK with every entry where Android maps it from, and looks whether a signed one still has them there.

usage: pack_apk.py OUT.apk LINKED.apk DEX-FOLDER LIBRARIES-FOLDER ABI   the folder has ABI/*.so
       pack_apk.py --check SIGNED.apk ABI

Native libraries lie stored at multiples of 16 KiB, the largest page that phones have: the loader maps them from the APK
(useLegacyPackaging = false). What else is stored lies at multiples of 4, and resources.arsc must be stored (target API
30). Debian's zipalign knows 4 KiB pages only. Source: developer.android.com "Support 16 KB page sizes"; APPNOTE.TXT.

apksigner writes the file anew and keeps an alignment only where the entry says it in an extra field (0xd935); without,
libraries come out at multiples of 4 KiB.
"""
import struct
import sys
import zipfile
from pathlib import Path

PAGE = 16 * 1024
WORD = 4
ALIGNMENT_FIELD = 0xD935
LOCAL_HEADER = 30  # bytes before the name; lengths of name and extra field are its last two halves
LOAD_SEGMENT = 1
# What native code looks for by name, and a shrinker sees nobody use.
BY_NAME = (b"Lorg/rustls/platformverifier/CertificateVerifier;", b"verifyCertificateChain")
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of a zip's calendar: equal inputs make equal files


def main():
    match sys.argv[1:]:
        case ["--check", apk, abi]:
            faults = list(check(apk, abi))
            for fault in faults:
                print(fault)
            sys.exit(bool(faults))
        case [apk, linked, dexes, libraries, abi]:
            pack(apk, linked, Path(dexes), Path(libraries) / abi, abi)
        case _:
            sys.exit(__doc__)


def pack(apk, linked, dexes, libraries, abi):
    with zipfile.ZipFile(apk, "w") as out:
        with zipfile.ZipFile(linked) as base:
            for info in base.infolist():
                add(out, info.filename, base.read(info), stored=info.compress_type == zipfile.ZIP_STORED)
        for dex in sorted(dexes.glob("classes*.dex")):
            add(out, dex.name, dex.read_bytes(), stored=False)
        for library in sorted(libraries.glob("*.so")):
            add(out, f"lib/{abi}/{library.name}", library.read_bytes(), stored=True)


def add(out, name, data, stored):
    info = zipfile.ZipInfo(name, FIRST_DAY)
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    if stored:
        multiple = PAGE if name.endswith(".so") else WORD
        start = out.fp.tell() + LOCAL_HEADER + len(name.encode()) + 6  # 6: this field without its padding
        padding = -start % multiple
        info.extra = struct.pack("<HHH", ALIGNMENT_FIELD, 2 + padding, multiple) + bytes(padding)
    out.writestr(info, data, compresslevel=9)


def check(apk, abi):
    """What is wrong with the file, in words."""
    with zipfile.ZipFile(apk) as zipped:
        entries = zipped.infolist()
        names = [info.filename for info in entries]
        for expected in "AndroidManifest.xml", "resources.arsc", "classes.dex":
            if expected not in names:
                yield f"{expected} is missing"
        code = b"".join(zipped.read(n) for n in names if n.endswith(".dex"))
        for name in BY_NAME:
            if name not in code:
                yield f"{name.decode()} is not in the code"
        foreign = [n for n in names if n.startswith("lib/") and not n.startswith(f"lib/{abi}/")]
        if foreign:
            yield f"not for {abi}: {' '.join(foreign)}"
        if not any(n.endswith(".so") for n in names):
            yield "there is no native library"
        for info in entries:
            stored = info.compress_type == zipfile.ZIP_STORED
            library = info.filename.endswith(".so")
            if not stored:
                if library or info.filename == "resources.arsc":
                    yield f"{info.filename} is compressed"
                continue
            at = start_of_data(zipped.fp, info)
            multiple = PAGE if library else WORD
            if at % multiple and info.file_size:
                yield f"{info.filename} lies at {at:#x}, not a multiple of {multiple}"
            if library and (least := least_segment_alignment(zipped.read(info))) < PAGE:
                yield f"{info.filename} has a segment for pages of {least} bytes"


def start_of_data(file, info):
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER)
    name, extra = struct.unpack_from("<HH", header, LOCAL_HEADER - 4)
    return info.header_offset + LOCAL_HEADER + name + extra


def least_segment_alignment(elf):
    if elf[:5] != b"\x7fELF\x02":
        return 0
    table, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    heads = [struct.unpack_from("<I44xQ", elf, table + size * i) for i in range(count)]
    return min(align for kind, align in heads if kind == LOAD_SEGMENT)


if __name__ == "__main__":
    main()

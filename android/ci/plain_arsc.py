#!/usr/bin/env python3
"""Rewrites the platform's resource table so that Debian's aapt2 can link against it.

usage: plain_arsc.py ANDROID-ALL.jar OUT.apk

Since API 34 the platform's resources.arsc has 16-bit offsets and compact entries, which bookworm's aapt2 (Android 10)
takes for damage, or silently finds nothing in. This writes the same table in the older form, beside the platform's
manifest, for `aapt2 link -I`. Source: AOSP's ResourceTypes.h. Knows nothing of overlays' policies and staged aliases:
chunks of a kind it does not know are left out.
"""
import struct
import sys
import zipfile

TABLE, STRINGS, PACKAGE, TYPE = 0x0002, 0x0001, 0x0200, 0x0201
OLD_ENOUGH = {STRINGS, TYPE, 0x0202, 0x0203, 0x0204, 0x0205}  # type spec, library, overlayable and its policy
SPARSE, SHORT_OFFSETS = 0x01, 0x02  # flags of a type
COMPLEX, COMPACT = 0x0001, 0x0008  # flags of an entry
NO_SHORT, NO_ENTRY = 0xFFFF, 0xFFFFFFFF


def main():
    source, result = sys.argv[1:]
    with zipfile.ZipFile(source) as jar, zipfile.ZipFile(result, "w") as apk:
        apk.writestr(zipfile.ZipInfo("AndroidManifest.xml"), jar.read("AndroidManifest.xml"))
        apk.writestr(zipfile.ZipInfo("resources.arsc"), table(jar.read("resources.arsc")))


def table(data):
    kind, head, size = struct.unpack_from("<HHI", data)
    if kind != TABLE:
        sys.exit("resources.arsc does not begin with a table")
    out = bytearray(data[:head])
    for kind, at, head, end in chunks(data, head, size):
        out += package(data, at, head, end) if kind == PACKAGE else data[at:end]
    return bytes(sized(out))


def package(data, at, head, end):
    out = bytearray(data[at:at + head])
    for kind, at, head, end in chunks(data, at + head, end):
        if kind == TYPE:
            out += resource_type(data, at, head)
        elif kind in OLD_ENOUGH:
            out += data[at:end]
    return sized(out)


def resource_type(data, at, head):
    flags = data[at + 9]
    count, start = struct.unpack_from("<II", data, at + 12)
    index, body = at + head, at + start
    if flags & SPARSE:  # pairs of entry and offset, offsets counted in words
        found = dict(struct.iter_unpack("<HH", data[index:index + 4 * count]))
        count = max(found, default=-1) + 1
    elif flags & SHORT_OFFSETS:
        offsets = struct.unpack_from(f"<{count}H", data, index)
        found = {i: offset for i, offset in enumerate(offsets) if offset != NO_SHORT}
    else:
        offsets = struct.unpack_from(f"<{count}I", data, index)
        found = {i: offset // 4 for i, offset in enumerate(offsets) if offset != NO_ENTRY}

    places, entries = [NO_ENTRY] * count, bytearray()
    for i, offset in found.items():
        places[i] = len(entries)
        entries += entry(data, body + 4 * offset)
    out = bytearray(data[at:at + head])
    out[9] = 0
    struct.pack_into("<II", out, 12, count, head + 4 * count)
    return sized(out + struct.pack(f"<{count}I", *places) + entries)


def entry(data, at):
    size, flags, key = struct.unpack_from("<HHI", data, at)
    if flags & COMPACT:  # size is the key, key is the value, the high byte of flags its type
        return struct.pack("<HHIHBBI", 8, flags & 0xFF & ~COMPACT, size, 8, 0, flags >> 8, key)
    if flags & COMPLEX:
        values, = struct.unpack_from("<I", data, at + 12)
        return data[at:at + size + 12 * values]
    return data[at:at + size + 8]


def chunks(data, at, end):
    while at < end:
        kind, head, size = struct.unpack_from("<HHI", data, at)
        yield kind, at, head, at + size
        at += size


def sized(chunk):
    struct.pack_into("<I", chunk, 4, len(chunk))
    return chunk


if __name__ == "__main__":
    main()

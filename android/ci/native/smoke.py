"""Loads an Android library in this process, with the shim's libraries in LD_LIBRARY_PATH, and calls into it.

    smoke.py LIBRARY

Knows only what every uniffi library has: its contract's version, and its buffers.
"""

import ctypes
import sys
from pathlib import Path

import elf


class Buffer(ctypes.Structure):
    """uniffi's RustBuffer."""

    _fields_ = [("capacity", ctypes.c_uint64), ("length", ctypes.c_uint64), ("data", ctypes.c_void_p)]


class Status(ctypes.Structure):
    """uniffi's RustCallStatus: code 0 is success, 2 a panic."""

    _fields_ = [("code", ctypes.c_int8), ("error", Buffer)]


def main() -> None:
    exports = elf.Library(Path(sys.argv[1])).exports
    contract = next(name for name in exports if name.endswith("_uniffi_contract_version"))
    crate = contract.removesuffix("_uniffi_contract_version")
    library = ctypes.CDLL(sys.argv[1], ctypes.RTLD_LOCAL)
    print(f"  loaded; uniffi's contract is {library[contract]()}")

    allocate, free, status = library[f"{crate}_rustbuffer_alloc"], library[f"{crate}_rustbuffer_free"], Status()
    allocate.argtypes, allocate.restype = [ctypes.c_uint64, ctypes.POINTER(Status)], Buffer
    free.argtypes = [Buffer, ctypes.POINTER(Status)]
    buffer = allocate(1000, status)
    assert status.code == 0 and buffer.capacity >= 1000 and buffer.data, "the library's memory answers"
    free(buffer, status)
    # A length beyond the capacity is a bug of the caller's: the library must catch its own panic and say so.
    allocate(2**63, status)
    assert status.code == 2, "a panic inside comes back as a status, so unwinding works"
    print("  memory given and taken back; a panic inside came back as a status")


if __name__ == "__main__":
    main()

"""A stand-in for the NDK's sysroot: enough to compile C and C++ for Android and to link one library.

    sysroot.py TOOLS ARCH OUT

Source: C headers are musl's with ours over them (include/), C++ and unwinding are LLVM's own sources, both as zig
packs them; the system libraries are empty shells that export the names in symbols.txt. Programs made with this are
for checking only: they say what links and what it needs, not that it runs on a phone.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from os import cpu_count
from pathlib import Path
from time import monotonic

import symbols

API = 26
HERE = Path(__file__).parent

# Linux's own headers lie under another name for one of the two.
KERNEL_ARCH = {"aarch64": "aarch64", "x86_64": "x86"}

UNWIND = ["libunwind.cpp", "UnwindLevel1.c", "UnwindLevel1-gcc-ext.c", "UnwindRegistersSave.S",
          "UnwindRegistersRestore.S"]  # fmt: skip

# Of the C++ library, what oboe reaches: strings, streams, threads, shared pointers.
CXX = """call_once chrono condition_variable condition_variable_destructor error_category exception functional
    future ios ios.instantiations locale memory mutex mutex_destructor new new_helpers shared_mutex stdexcept string
    system_error thread verbose_abort""".split()
CXXABI = "abort_message cxa_default_handlers cxa_guard cxa_handlers cxa_noexception cxa_virtual".split()

# oboe is compiled without exceptions and run-time types, and nothing else here is C++: the library goes without too.
CXX_FLAGS = ["-nostdinc++", "-std=c++23", "-fno-exceptions", "-fno-rtti"]

# What CMake would have written into libc++'s __config_site. The namespace is the NDK's.
CXX_CONFIG = """ABI_VERSION=1 ABI_NAMESPACE=__ndk1 HAS_THREADS=1 HAS_MONOTONIC_CLOCK=1 HAS_TERMINAL=1
    HAS_MUSL_LIBC=0 HAS_THREAD_API_PTHREAD=1 HAS_THREAD_API_EXTERNAL=0 HAS_THREAD_API_WIN32=0 HAS_THREAD_API_C11=0
    HAS_VENDOR_AVAILABILITY_ANNOTATIONS=0 HAS_FILESYSTEM=0 HAS_RANDOM_DEVICE=0 HAS_LOCALIZATION=1 HAS_UNICODE=1
    HAS_WIDE_CHARACTERS=1 HAS_TIME_ZONE_DATABASE=0 INSTRUMENTED_WITH_ASAN=0 PSTL_BACKEND_SERIAL=1
    HARDENING_MODE_DEFAULT=_LIBCPP_HARDENING_MODE_NONE ASSERTION_SEMANTIC_DEFAULT=_LIBCPP_ASSERTION_SEMANTIC_IGNORE
    LIBC_NEWLIB=0 PROVIDES_DEFAULT_RUNE_TABLE=1""".split()


class Sysroot:
    """The folder being made, and the compilers it is made with."""

    def __init__(self, tools: Path, arch: str, out: Path) -> None:
        self.tools, self.arch, self.out = tools, arch, out
        self.zig = tools / "zig/ziglang/lib"
        self.lib = out / "lib"
        self.build = out / "build"
        self.target = f"--target={arch}-linux-android{API}"

    def c_flags(self) -> list[str]:
        """For any C or C++ file, ours or a crate's."""
        include = self.zig / "libc/include"
        folders = [HERE / "include", include / f"{self.arch}-linux-musl", include / "generic-musl",
                   include / f"{KERNEL_ARCH[self.arch]}-linux-any", include / "any-linux-any"]  # fmt: skip
        flags = [self.target, "-nostdlibinc", "-D_GNU_SOURCE", f"-ffile-prefix-map={self.zig}=zig"]
        if self.arch == "aarch64":
            flags.append("-mno-outline-atomics")  # their helpers are the compiler's, and Rust's copy is hidden
        return flags + [f"-isystem{folder}" for folder in folders]

    def cxx_flags(self) -> list[str]:
        """Before the C flags: C++'s own <errno.h> and the like wrap C's."""
        config = [f"-D_LIBCPP_{setting}" for setting in CXX_CONFIG]
        return [*config, "-D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS",
                f"-isystem{self.zig / 'libcxx/include'}", f"-isystem{self.zig / 'libcxxabi/include'}"]  # fmt: skip

    def compile(self, source: Path, *flags: str) -> Path:
        """One object; sections for each function, so that what is not used does not ship."""
        made = self.build / f"{source.parent.parent.name}-{source.name}.o"
        small = ["-Os", "-DNDEBUG", "-fPIC", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"]
        run("clang", *flags, *self.c_flags(), *small, "-w", "-c", source, "-o", made)
        return made

    def archive(self, name: str, jobs: list[tuple[Path, list[str]]]) -> None:
        with ThreadPoolExecutor(cpu_count()) as pool:
            objects = list(pool.map(lambda job: self.compile(job[0], *job[1]), jobs))
        archive = self.lib / name
        archive.unlink(missing_ok=True)
        run("llvm-ar", "crs", archive, *objects)

    def runtime(self) -> None:
        """crtbegin, unwinding, and C++ linked in whole: the app ships no libc++_shared.so."""
        self.compile(HERE / "crt_so.c").rename(self.lib / "crtbegin_so.o")
        empty = self.build / "crtend_so.c"
        empty.write_text("")
        self.compile(empty).rename(self.lib / "crtend_so.o")

        home = self.zig / "libunwind"
        unwind = [f"-I{home / 'include'}", "-D_LIBUNWIND_IS_NATIVE_ONLY", "-D_LIBUNWIND_DISABLE_VISIBILITY_ANNOTATIONS"]
        plain = [*CXX_FLAGS, *self.cxx_flags()]
        jobs = [(home / "src" / name, unwind + (plain if name.endswith(".cpp") else [])) for name in UNWIND]
        self.archive("libunwind.a", jobs)

        cxx, abi = self.zig / "libcxx", self.zig / "libcxxabi"
        flags = [*plain, "-D_LIBCPP_BUILDING_LIBRARY", "-DLIBCXX_BUILDING_LIBCXXABI", f"-I{cxx / 'src'}",
                 f"-I{cxx / 'libc'}", "-DLIBC_NAMESPACE=__llvm_libc_common_utils", f"-I{home / 'include'}"]  # fmt: skip
        abi_flags = [*flags, "-D_LIBCXXABI_BUILDING_LIBRARY", "-D_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS"]
        self.archive("libc++_static.a", [(cxx / "src" / f"{name}.cpp", flags) for name in CXX])
        self.archive("libc++abi.a", [(abi / "src" / f"{name}.cpp", abi_flags) for name in CXXABI])

    def shell(self, library: str, names: dict[str, symbols.Symbol]) -> None:
        """A library that exports names and does nothing."""
        lines = [".text"]
        for name, symbol in sorted(names.items()):
            kind = "object" if symbol.is_data else "function"
            lines.append(f".globl {name}\n.type {name},%{kind}\n.size {name},8\n{name}: .quad 0")
        assembly, versions = self.build / f"{library}.s", self.build / f"{library}.map"
        assembly.write_text("\n".join(lines) + "\n")
        flags = [self.target, "-nostdlib", "-shared", "-fuse-ld=lld", f"-Wl,-soname,{library}"]
        if library in ("libc.so", "libm.so", "libdl.so"):  # the only ones with versions
            versions.write_text("LIBC { *; };\n")
            flags.append(f"-Wl,--version-script={versions}")
        run("clang", *flags, assembly, "-o", self.lib / library)

    def compilers(self) -> None:
        """`clang` and `clang++` that know all this, under bin/."""
        link = ["--start-no-unused-arguments", f"--sysroot={self.out}", "-fuse-ld=lld", f"-B{self.lib}",
                f"-L{self.lib}", "--end-no-unused-arguments"]  # fmt: skip
        for name, flags in (("clang", []), ("clang++", ["-nostdinc++", *self.cxx_flags()])):
            wrapper = self.out / "bin" / name
            words = " ".join(map(str, [self.tools / "bin" / name, *link, *flags, *self.c_flags()]))
            wrapper.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            wrapper.chmod(0o755)

    def make(self) -> None:
        for folder in (self.lib, self.build, self.out / "bin"):
            folder.mkdir(parents=True, exist_ok=True)
        self.compilers()
        libraries = symbols.read()
        for library, names in libraries.items():
            self.shell(library, names)
        key, kept, began = self.key(), self.out / "runtime.key", monotonic()
        made = kept.exists() and kept.read_text() == key
        if not made:
            kept.unlink(missing_ok=True)
            self.runtime()
            kept.write_text(key)
        print(f"sysroot: {self.arch}, {sum(map(len, libraries.values()))} names in {len(libraries)} libraries;"
              f" C++ {'is there' if made else f'built in {monotonic() - began:.0f} s'}")  # fmt: skip

    def key(self) -> str:
        """Of all that the runtime is built from."""
        files = [Path(__file__), HERE / "crt_so.c", self.tools / "key", *sorted((HERE / "include").rglob("*.h"))]
        return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


if __name__ == "__main__":
    Sysroot(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])).make()

# The cross tools: Debian's rustc, cargo, clang and lld, unpacked beside the system's own; zig's C headers; Rust's std.
#
# Source: bookworm-security's rustc-web family, whose rustc is new enough for the workspace and whose std source is
# packaged; and the PyPI package ziglang, which carries musl's headers and the sources of LLVM's libc++ and libunwind.
# Sourced by scripts/android-native, which sets $home (all of its cache), $tools and $skip. Knows nothing of Android's
# libraries: sysroot.py does.
# shellcheck disable=SC2154

readonly tool_packages=(rustc-web cargo-web rust-web-src clang-22 lld-22 llvm-22)
readonly zig=ziglang==0.17.1

# Unpacks the tools into $tools, unless these very packages are there.
get_tools() {
  local key="${tool_packages[*]} $zig"
  if [ "$(cat "$tools/key" 2>/dev/null)" != "$key" ]; then
    if ! command -v apt-get >/dev/null; then
      echo "skipped: without an NDK the cross tools come from Debian packages, and this is no Debian"
      return "$skip"
    fi
    rm -rf "$tools" "$tools.part"
    mkdir -p "$tools.part/bin" "$tools.part/debs/partial" || return
    unpack_debian && unpack_zig || return
    rm -rf "$tools.part/debs"
    printf '%s\n' "$key" >"$tools.part/key"
    mv "$tools.part" "$tools" || return
    echo "tools: unpacked, $(du -sh "$tools" | cut -f1)"
  fi
  echo "tools: $(rustc -V), $(clang --version | head -n1), $zig"
}

# apt works out which libraries the machine lacks, and only downloads; nothing here is installed, so the system's
# own compilers stay what they are.
unpack_debian() {
  local deb tool
  local apt=(apt-get -q -o Debug::NoLocking=1 -o Dir::Cache::archives="$tools.part/debs")
  apt-cache show rust-web-src >/dev/null 2>&1 || "${apt[@]}" update || return
  "${apt[@]}" install -y --download-only --no-install-recommends --reinstall "${tool_packages[@]}" >"$tools.part/log" ||
    { tail -n5 "$tools.part/log"; return 1; }
  for deb in "$tools.part"/debs/*.deb; do dpkg -x "$deb" "$tools.part" || return; done

  for tool in rustc rustdoc cargo; do wrap "usr/bin/$tool" "$tool"; done
  for tool in clang clang++ ld.lld llvm-ar llvm-strip; do wrap "usr/lib/llvm-22/bin/$tool" "$tool"; done
}

# $1 with its libraries, as $2 in PATH. The path is found when it runs: the folder is renamed after unpacking.
wrap() {
  cat >"$tools.part/bin/$2" <<WRAPPER
#!/bin/sh
top=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
LD_LIBRARY_PATH=\$top/usr/lib/x86_64-linux-gnu exec "\$top/$1" "\$@"
WRAPPER
  chmod +x "$tools.part/bin/$2"
}

# Of zig's 400 MB, the C headers and sources.
unpack_zig() {
  local wheel
  python3 -m pip download -q --no-deps -d "$tools.part/debs" "$zig" || return
  wheel=$(echo "$tools.part"/debs/ziglang-*.whl)
  python3 - "$wheel" "$tools.part/zig" <<'PYTHON'
import sys, zipfile
wheel, out = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
wanted = tuple(f"ziglang/lib/{part}/" for part in ("libc/include", "libcxx", "libcxxabi", "libunwind"))
wheel.extractall(out, [name for name in wheel.namelist() if name.startswith(wanted)])
PYTHON
}

# Builds std for a target into the tools' own sysroot, once for each rustc: then plain `cargo build --target` works.
build_std() {
  local target=$1 began=$SECONDS key flags
  local lib=$tools/usr/lib/rustlib/$target/lib work=$home/std
  key="$(rustc -vV | sha256sum) $(declare -f build_std | sha256sum)"
  if [ "$(cat "$lib/../key" 2>/dev/null)" = "$key" ]; then
    echo "std: $target is there"
    return
  fi
  mkdir -p "$work/src" && rm -rf "${lib%/lib}" && mkdir -p "$lib" || return
  printf '[package]\nname = "std-for"\nedition = "2024"\n[workspace]\n' >"$work/Cargo.toml"
  printf '#![no_std]\n' >"$work/src/lib.rs"

  # cargo leaves bitcode out of libraries it builds itself, and without it the release profile's LTO has nothing to
  # work on. std's sources keep their official name in panic messages, so that no path of this machine gets there.
  flags="-C embed-bitcode=yes $(remap) --remap-path-prefix=$tools/usr/lib/rustlib/src/rust=/rustc/$(rustc_version)"
  (cd "$work" && RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$work/target RUSTFLAGS=$flags \
    cargo build -q --release -Z build-std=std,panic_unwind --target "$target") || return
  cp "$work/target/$target"/release/deps/*.rlib "$lib/" && rm -f "$lib"/libstd_for-* || return
  rm -rf "$work/target"
  printf '%s\n' "$key" >"$lib/../key"
  echo "std: $target built in $((SECONDS - began)) s, $(du -sh "$lib" | cut -f1)"
}

rustc_version() { rustc -V | cut -d' ' -f2; }

# Names of this machine's folders have no place in what people install. The repository's own has none to begin with, for
# cargo names the workspace's files from its root; and here it would make every clone build everything anew.
remap() {
  local registry=${CARGO_HOME:-$HOME/.cargo}/registry/src index
  for index in "$registry"/*/; do printf -- '--remap-path-prefix=%s=crates/ ' "$index"; done
}

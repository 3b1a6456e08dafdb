//! How the program is linked.

#![allow(clippy::print_stdout, reason = "cargo listens there")]

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // 24 bytes a relocation make half a megabyte of pages that every start reads; packed they are a few. glibc 2.36 and later.
    if (var("CARGO_CFG_TARGET_OS").as_deref(), var("CARGO_CFG_TARGET_ENV").as_deref())
        == (Ok("linux"), Ok("gnu"))
    {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

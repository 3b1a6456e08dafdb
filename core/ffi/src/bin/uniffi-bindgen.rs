//! Writes the Kotlin and Swift of the door: see `scripts/bindings`.

fn main() {
    uniffi::uniffi_bindgen_main();
}

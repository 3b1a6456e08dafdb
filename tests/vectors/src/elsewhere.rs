//! The sets that may not be redistributed: found where the person who runs the tests keeps them, else skipped aloud.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A folder of vectors: below `OFFHOOK_VECTORS`, else below `shared/vectors` beside the checkout.
///
/// `None` when it is not there; that is said on standard error, so that whoever counts can count it.
pub fn elsewhere(set: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let root = std::env::var_os("OFFHOOK_VECTORS").map_or(beside, PathBuf::from);
    let folder = root.join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    // Past the test harness's capture.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {set} vectors, set OFFHOOK_VECTORS to the folder that holds them"
    );
    None
}

//! This phone's name for registrars, the same over all its starts.
//!
//! RFC 5626 section 4.1: a URN of a UUID (RFC 9562 section 5.4, drawn by chance), kept in the phone's folder. Knows nothing
//! of what it is for.

use std::fs;
use std::io;
use std::path::Path;

use crate::clock;

const FILE: &str = "instance";

/// The instance of the phone that lives in this folder, drawn when there is none or none that can be read.
///
/// # Errors
/// It cannot be kept, or the system gives no randomness. The phone does as well without one.
pub fn instance(folder: &Path) -> io::Result<String> {
    let path = folder.join(FILE);
    if let Ok(kept) = fs::read_to_string(&path)
        && is_instance(kept.trim())
    {
        return Ok(kept.trim().to_owned());
    }
    let drawn = draw()?;
    fs::write(path, &drawn)?;
    Ok(drawn)
}

fn draw() -> io::Result<String> {
    let mut bytes = [0; 16];
    clock::seeded()?.fill(&mut bytes);
    let drawn = u128::from_be_bytes(bytes) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{drawn:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(format!("urn:uuid:{}", parts.join("-")))
}

fn is_instance(text: &str) -> bool {
    let uuid = text.strip_prefix("urn:uuid:").unwrap_or_default();
    uuid.len() == 36 && uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_drawn_once_for_a_folder() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, other] = [0, 1].map(|n: usize| instance(folders[n].path()).unwrap());
        assert!(is_instance(&one) && one != other, "{one} {other}");
        let uuid = one.strip_prefix("urn:uuid:").unwrap();
        assert!(uuid[14..].starts_with('4') && uuid[19..].starts_with(['8', '9', 'a', 'b']), "{uuid}");
        assert_eq!(instance(folders[0].path()).unwrap(), one);
        fs::write(folders[0].path().join(FILE), "<script>").unwrap();
        assert_ne!(instance(folders[0].path()).unwrap(), "<script>");
    }
}

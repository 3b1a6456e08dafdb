//! Keeping what is private out of logs and out of memory.
//!
//! Knows nothing of where logs go; that they never see the inside is the point.

use std::fmt;

use zeroize::Zeroize;

/// Personal data (a number, a URI, a name) that may be used but not printed.
///
/// `Debug` and `Display` show only that something is there. Read it with [`Redacted::reveal`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for use and not for logs.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// Gives the value up.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A password or key: never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a secret into keeping.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The secret itself. Do not copy it further than the computation that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The same, to be filled where it stays.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_kind_prints_what_it_holds() {
        let number = Redacted::new("+4930123456");
        let password = Secret::new(String::from("swordfish"));
        assert_eq!(format!("{number} {number:?} {password:?}"), "[redacted] [redacted] [secret]");
        assert_eq!((*number.reveal(), password.expose().as_str()), ("+4930123456", "swordfish"));
    }
}

//! Why the program ends otherwise than asked: the exit status and one sentence.

use std::fmt;
use std::process::ExitCode;

/// A sentence for stderr, and what it says to a script.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Called wrongly: exit status 2.
    Usage(String),
    /// The call, the registration or the demo failed: exit status 1.
    Failed(String),
}

impl Failure {
    /// The exit status that the contract gives it.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(sentence) | Self::Failed(sentence) => f.write_str(sentence),
        }
    }
}

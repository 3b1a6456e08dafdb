//! The example of TCP hole punching, as two people use it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Stdio};

use crate::netns::Namespace;
use crate::offhook::built;
use crate::{EXCHANGE, Owned};

/// `punch S WORD` in a namespace.
#[derive(Debug)]
pub struct Puncher {
    _process: Owned,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Puncher {
    /// Two of them, built if need be.
    pub fn pair(places: [&Namespace; 2]) -> [Self; 2] {
        let program = built(&["-p", "offhook-net", "--example", "punch"]);
        places.map(|place| {
            let mut child = place
                .command(&program)
                .args([&format!("{EXCHANGE}:3478"), "walnut"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("the example starts");
            let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
            Self {
                _process: Owned(child),
                stdin: stdin.expect("it was piped"),
                stdout: BufReader::new(stdout.expect("it was piped")),
            }
        })
    }

    /// The rest of the next line that begins so; `None` when it has ended.
    pub fn reads(&mut self, start: &str) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(rest) = line.trim_end().strip_prefix(start) {
                return Some(rest.to_owned());
            }
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush()).expect("it listens");
    }
}

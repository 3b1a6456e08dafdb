//! The binary, run, and what it says: for every test that looks at it from outside.

#![allow(dead_code, reason = "no test needs all of it")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

pub(crate) fn offhook(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.args(args).env_remove("OFFHOOK_PASSWORD").stdin(Stdio::null());
    command
}

pub(crate) fn run(args: &[&str]) -> Output {
    offhook(args).output().expect("it starts")
}

/// Exit status and stderr.
pub(crate) fn refusal(args: &[&str]) -> (Option<i32>, String) {
    let output = run(args);
    assert!(output.stdout.is_empty(), "a refusal is told on stderr: {output:?}");
    (output.status.code(), String::from_utf8(output.stderr).expect("words"))
}

/// A file of this test's own; removed by nobody, overwritten by the next run.
pub(crate) fn file(name: &str, text: impl AsRef<[u8]>) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("a writable target folder");
    path.to_str().expect("a path in words").to_owned()
}

/// A process that is not left behind, and its lines.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) lines: Receiver<String>,
}

/// A line that takes longer than this never comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

impl Running {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = offhook(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| tell.send(line).is_ok()));
        Self { child, lines }
    }

    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "{line}").expect("it listens");
    }

    pub(crate) fn line(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("another line");
        serde_json::from_str(&line).expect(&line)
    }

    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.line();
            if wanted(&line) {
                return line;
            }
        }
    }

    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

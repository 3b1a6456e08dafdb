//! Servers for media as they are named on the command line.

use std::str::FromStr;

use phone::Server;

/// A server on the command line: as in a file, or without `stun:`.
#[derive(Clone, Debug)]
pub(crate) struct StunServer(pub(crate) Server);

impl FromStr for StunServer {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let bare = given.strip_prefix("stun:").unwrap_or(given);
        let unread = || format!("`{given}` is not a STUN server: stun:HOST or stun:HOST:PORT");
        account::server(bare, Server::STUN_PORT).map(Self).ok_or_else(unread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_command_line_a_server_needs_no_scheme() {
        let read = |given: &str| given.parse().map(|StunServer(server)| (server.host, server.port));
        assert_eq!(read("192.0.2.1:3479"), Ok(("192.0.2.1".into(), 3479)));
        assert_eq!(read("stun:stun.example.com"), Ok(("stun.example.com".into(), 3478)));
        assert!(read("turn:x:y").unwrap_err().contains("`turn:x:y` is not a STUN server"));
    }
}

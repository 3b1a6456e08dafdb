//! `offhook exchange`: the pocket exchange until a signal comes.

use std::net::SocketAddr;
use std::sync::mpsc;

use exchange::server::{Listen, Server, ServerConfig};
use serde::Serialize;

use crate::cli::ExchangeArgs;
use crate::config;
use crate::failure::Failure;
use crate::phone::desk::watch_signals;
use crate::phone::json::say;

/// The first line with `--json`: the real ports.
#[derive(Serialize)]
struct Listening {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    udp: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stun: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stun_other: Option<SocketAddr>,
    domain: String,
}

/// Runs until SIGINT or SIGTERM.
pub(crate) fn run(args: &ExchangeArgs) -> Result<(), Failure> {
    let (tell, signal) = mpsc::channel();
    watch_signals(move || tell.send(()).is_ok())?;
    let mut config: ServerConfig = args.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
    if let Some(address) = args.listen {
        config.listen = Listen { udp: Some(address), tcp: Some(address), ..config.listen };
    }
    let (domain, users) = (config.domain.clone(), config.user.len());
    let server = Server::start(config).map_err(|error| Failure::Failed(error.to_string()))?;
    let at = server.addresses();
    let listening = Listening {
        event: "listening",
        udp: at.udp,
        tcp: at.tcp,
        tls: at.tls,
        http: at.http,
        stun: at.stun,
        stun_other: at.stun_other,
        domain,
    };
    if args.json {
        say(&listening).map_err(|error| Failure::Failed(format!("stdout is gone: {error}")))?;
    } else {
        println!("{users} users of {} are served on:", listening.domain);
        for (carrier, address) in [
            ("udp", at.udp),
            ("tcp", at.tcp),
            ("tls", at.tls),
            ("http", at.http),
            ("stun", at.stun),
            ("stun (other)", at.stun_other),
        ] {
            if let Some(address) = address {
                println!("  {carrier} {address}");
            }
        }
        println!("Ctrl-C stops it");
    }
    // Until a signal; the sender lives as long as its thread.
    let _ = signal.recv();
    server.stop();
    Ok(())
}
